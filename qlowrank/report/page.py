# SPDX-License-Identifier: Apache-2.0
"""An archive as one HTML page that needs nothing but a browser."""

import io
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from qlowrank.archive import Study, Verification
from qlowrank.job import outcome_of
from qlowrank.mps import Entanglement, entanglement
from qlowrank.report.entanglement_plots import (
    draw_bonds,
    draw_convergence,
    draw_mutual_information,
    draw_spectra,
)
from qlowrank.report.leaf_plot import draw_leaves
from qlowrank.report.shot_plot import draw_shots
from qlowrank.report.style import STYLE
from qlowrank.report.summary import rows, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_GROUPS = 20
"""Rows of the table of groups; the others are counted below it."""


def html_report(study: Study, verification: Verification) -> str:
    """Return the page: the summary, pictures, groups, checks and where it all came from.

    Pictures are part of the page, nothing is loaded from elsewhere, and the same archive gives the
    same page.

    Args:
        study: What the archive holds, from `ql.load`.
        verification: What `ql.verify` found in it.

    >>> import tempfile
    >>> import qlowrank as ql
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ql.save(f"{folder}/h2.h5", ql.from_example("h2"))
    ...     page = html_report(ql.load(f"{folder}/h2.h5"), ql.verify(f"{folder}/h2.h5"))
    >>> page.splitlines()[0]
    '<!DOCTYPE html>'
    """
    from jinja2 import Environment, StrictUndefined

    outcome = outcome_of(study)
    template = files("qlowrank.report").joinpath("page.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(
        title=title(outcome),
        rows=[row for row in rows(outcome, study.path) if row[0] != "archive"],
        pictures=[_svg(draw) for draw in _pictures(study)],
        groups=_groups(study),
        checks=verification.checks,
        failed=len(verification.failed),
        provenance=sorted(study.provenance.items()),
        kinds=study.kinds,
    )


def _pictures(study: Study) -> Iterator[Callable[["Axes"], None]]:
    """Yield what can be drawn of what the archive holds."""
    leaves = study.held("factorization", "compressed")
    if leaves is not None:
        yield lambda axes: draw_leaves(axes, leaves.cores)
    if "plan" in study and study.plan.total_shots > 0:
        yield lambda axes: draw_shots(axes, study.plan)
    found = _entropies(study)
    if found is not None:
        yield lambda axes: draw_bonds(axes, found)
        yield lambda axes: draw_spectra(axes, found)
        yield lambda axes: draw_mutual_information(axes, found)
    state = study.held("mps_state")
    if state is not None and len(state.convergence.energies) > 1:
        yield lambda axes: draw_convergence(axes, state.convergence)


def _entropies(study: Study) -> Entanglement | None:
    """Return the entropies that are held, or else those of the chain that is held."""
    if "entanglement" in study:
        return study.entanglement
    if "mps" in study:
        return entanglement(study.mps)
    return entanglement(study["mps_state"].mps) if "mps_state" in study else None


def _svg(draw: Callable[["Axes"], None]) -> str:
    """Return a picture as an SVG element."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.4), layout="constrained")
        draw(figure.subplots())
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    whole = text.getvalue()
    return whole[whole.index("<svg") :]


def _groups(study: Study) -> dict[str, Any] | None:
    """Return the groups with most shots, and how many there are beside them."""
    if "plan" not in study:
        return None
    plan = study.plan
    order = np.argsort(-plan.shots, kind="stable")[:MOST_GROUPS]
    listed = [
        {
            "group": int(g),
            "shots": f"{plan.shots[g]:,}",
            "mean": f"{plan.pricing.means[g]:.6f}",
            "variance": f"{plan.variances[g]:.4g}",
        }
        for g in order
    ]
    return {"rows": listed, "others": plan.n_groups - len(listed)}

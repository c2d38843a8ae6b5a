# SPDX-License-Identifier: Apache-2.0
"""Draw docs/images/overview.png: water in cc-pVDZ, from integrals to shots.

Left, what truncation costs and what is proven about it; middle, the leaves; right, the shots.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

import qlowrank as ql
from qlowrank.report import draw_leaves, draw_shots
from qlowrank.report.style import BLUE, GREEN, ORANGE, STYLE

OUTPUT = Path(__file__).parents[2] / "docs" / "images" / "overview.png"


def truncated(hamiltonian: ql.Hamiltonian, rank: int) -> ql.Hamiltonian:
    """Keep the first Cholesky vectors; what is left of the diagonal is the new residual."""
    rest = np.sum(hamiltonian.factors[rank:] ** 2, axis=0)
    kept = replace(
        hamiltonian.truncation,
        rank=rank,
        max_error=hamiltonian.max_abs_error_bound + float(rest.max(initial=0.0)),
        discarded=hamiltonian.residual_trace + float(rest.sum()),
    )
    return replace(hamiltonian, factors=hamiltonian.factors[:rank], truncation=kept)


def draw_truncation(axes: Axes, hamiltonian: ql.Hamiltonian) -> None:
    """Integral error, energy error and its proven bound against the number of vectors."""
    exact = hamiltonian.source.reference("HF").energy
    step = max(hamiltonian.rank // 12, 1)
    ranks = np.append(np.arange(step, hamiltonian.rank - step // 2, step), hamiltonian.rank)
    cuts = [truncated(hamiltonian, int(rank)) for rank in ranks]
    curves = {
        "energy, proven bound": (ORANGE, [sum(c.nelec) * c.residual_trace for c in cuts]),
        "energy, Hartree-Fock": (GREEN, [exact - ql.hartree_fock_state(c).energy for c in cuts]),
        "integrals, proven bound": (BLUE, [c.max_abs_error_bound for c in cuts]),
    }
    for label, (color, errors) in curves.items():
        axes.semilogy(ranks, errors, "o-", markersize=3.5, color=color, label=label)
    axes.set(title="What truncation costs", xlabel="Cholesky vectors", ylabel="error / Hartree")
    axes.legend(frameon=False, loc="lower left", handlelength=1.5)


def main() -> None:
    """Compute water and draw the three panels."""
    parser = argparse.ArgumentParser(description="Draw the overview of one molecule.")
    parser.add_argument("--basis", default="cc-pvdz", help="basis set of water")
    parser.add_argument("--output", default=OUTPUT, type=Path, metavar="FILE.png")
    options = parser.parse_args()
    hamiltonian = ql.from_example("water", basis=options.basis, tolerance=1e-7)
    factorization = ql.double_factorize(hamiltonian)
    plan = ql.plan_measurement(factorization, ql.cisd_state(hamiltonian))
    with mpl.rc_context(STYLE):
        figure, panels = plt.subplots(1, 3, figsize=(11.5, 3.4), layout="constrained")
        draw_truncation(panels[0], hamiltonian)
        draw_leaves(panels[1], factorization.cores)
        draw_shots(panels[2], plan)
        figure.savefig(options.output, dpi=150, pil_kwargs={"optimize": True})
    print(f"wrote {options.output}\n{hamiltonian!r}\n{plan!r}")


if __name__ == "__main__":
    main()

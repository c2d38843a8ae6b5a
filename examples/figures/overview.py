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
from matplotlib.colors import LogNorm

import qlowrank as ql

OUTPUT = Path(__file__).parents[2] / "docs" / "images" / "overview.png"
INK, BLUE, ORANGE, GREEN = "#22313f", "#2c6fbb", "#d9822b", "#3a9d6e"
SMALLEST = 1e-3
"""Hartree^½; eigenvalues below are drawn white."""

STYLE = {
    "font.size": 9,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2,
}


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


def draw_leaves(axes: Axes, factorization: ql.DoubleFactorization) -> None:
    """Eigenvalues of every leaf as a map; white is nothing."""
    magnitudes = np.abs(factorization.eigenvalues.T)
    image = axes.imshow(
        np.where(magnitudes > SMALLEST, magnitudes, np.nan),
        norm=LogNorm(SMALLEST, magnitudes.max()),
        aspect="auto",
        cmap="magma_r",
        interpolation="nearest",
    )
    axes.set(title="Leaves: U diag(ε) Uᵀ", xlabel="leaf", ylabel="rotated orbital")
    bar = axes.figure.colorbar(image, ax=axes, pad=0.02, label=r"|ε| / Hartree$^{1/2}$")
    bar.outline.set_visible(False)


def draw_shots(axes: Axes, plan: ql.MeasurementPlan) -> None:
    """Shots of each group, most first, and their cumulative share."""
    shots = np.sort(plan.shots)[::-1]
    share = 100 * shots.cumsum() / plan.total_shots
    index = np.arange(1, len(shots) + 1)
    nine_tenths = int(np.searchsorted(share, 90)) + 1

    axes.fill_between(index, shots, 1, step="mid", color=BLUE, alpha=0.8, linewidth=0)
    axes.set(xscale="log", yscale="log", xlim=(1, len(shots)), ylim=(1, 3 * shots[0]))
    axes.set(title="Where the shots go", xlabel="group, most shots first", ylabel="shots")
    right = axes.twinx()
    right.plot(index, share, color=ORANGE)
    right.set(ylim=(0, 105), ylabel="cumulative share / %")
    right.spines["right"].set_visible(True)
    right.plot(nine_tenths, share[nine_tenths - 1], "o", color=ORANGE, markersize=5)
    right.text(
        1.3,
        14,
        f"{plan.total_shots / 1e6:.0f} million shots\n"
        f"for {1e3 * plan.precision:g} mHartree;\n"
        f"90 % in {nine_tenths} of {len(shots)} groups",
        color="white",
        linespacing=1.4,
    )


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
        draw_leaves(panels[1], factorization)
        draw_shots(panels[2], plan)
        figure.savefig(options.output, dpi=150, pil_kwargs={"optimize": True})
    print(f"wrote {options.output}\n{hamiltonian!r}\n{plan!r}")


if __name__ == "__main__":
    main()

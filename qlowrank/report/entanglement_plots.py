# SPDX-License-Identifier: Apache-2.0
"""Pictures of chains: bonds, spectra, who shares information with whom, and convergence."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from qlowrank.checks import InputError
from qlowrank.mps.entanglement import Entanglement
from qlowrank.report.style import BLUE, GREEN, INK, ORANGE
from qlowrank.states import Convergence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVELS = ((1e-1, 3.2, INK), (1e-2, 1.6, BLUE), (1e-3, 0.7, "#a9bccb"))
"""Mutual information from which a line is drawn, its width and colour, the strongest first."""
WEIGHTS = (1e-4, 1e-6, 1e-8)
"""Discarded weights for which bond dimensions are drawn."""


def entanglement_figure(found: Entanglement, *, labels: Sequence[str] | None = None) -> "Figure":
    """Draw all three pictures side by side.

    Args:
        found: Entropies, from `ql.entanglement`.
        labels: Names of the orbitals; their numbers by default.

    Returns:
        A matplotlib figure that belongs to no window; save it with `figure.savefig(path)`.

    Raises:
        InputError: As many labels as orbitals are needed.

    >>> import qlowrank as ql
    >>> state = ql.fci_state(ql.from_example("h2", basis="6-31g"))
    >>> mps = ql.mps_from_ci(state.vector, state.norb, state.nelec)
    >>> figure = entanglement_figure(ql.entanglement(mps))
    >>> [axes.get_title(loc="left") for axes in figure.axes[:3]]
    ['Bonds', 'Schmidt values', 'Mutual information']
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 4.0), layout="constrained")
    bonds, spectra, circle = figure.subplots(1, 3)
    draw_bonds(bonds, found)
    draw_spectra(spectra, found)
    draw_mutual_information(circle, found, labels=labels)
    return figure


def draw_bonds(axes: "Axes", found: Entanglement) -> None:
    """Entropy of every bond as a bar; states it needs at several discarded weights as lines."""
    bonds = np.arange(len(found.schmidt_values)) + 0.5
    axes.bar(bonds, found.bond_entropies, width=0.8, color=BLUE, alpha=0.35)
    axes.set_title("Bonds", loc="left")
    axes.set_xlabel("cut between orbitals")
    axes.set_ylabel("entropy (nats)", color=BLUE)
    states = axes.twinx()
    states.spines["right"].set_visible(True)
    for weight, style in zip(WEIGHTS, (":", "--", "-"), strict=True):
        states.plot(
            bonds, found.bond_dimensions_at(weight), style, color=ORANGE, label=f"{weight:.0e}"
        )
    states.set_yscale("log")
    states.set_ylabel("bond dimension", color=ORANGE)
    states.legend(title="discarded weight", frameon=False, fontsize="small")


def draw_spectra(axes: "Axes", found: Entanglement) -> None:
    """Schmidt values of every bond on a logarithmic scale, the bond with most entropy in front."""
    largest = int(np.argmax(found.bond_entropies)) if found.schmidt_values else -1
    for bond, values in enumerate(found.schmidt_values):
        if bond != largest:
            axes.plot(np.arange(1, len(values) + 1), values, color="#a9bccb", linewidth=0.8)
    if found.schmidt_values:
        values = found.schmidt_values[largest]
        label = f"between {largest} and {largest + 1}"
        axes.plot(np.arange(1, len(values) + 1), values, color=INK, linewidth=1.8, label=label)
        axes.set_yscale("log")
        axes.set_ylim(bottom=1e-8)
        axes.legend(frameon=False, fontsize="small")
    axes.set_title("Schmidt values", loc="left")
    axes.set_xlabel("state")
    axes.set_ylabel("Schmidt value")


def draw_mutual_information(
    axes: "Axes", found: Entanglement, *, labels: Sequence[str] | None = None
) -> None:
    """Orbitals on a circle, areas by their entropy, lines by the information that they share.

    Raises:
        InputError: As many labels as orbitals are needed.
    """
    names = [str(site) for site in range(found.n_sites)] if labels is None else list(labels)
    if len(names) != found.n_sites:
        raise InputError(f"labels must name {found.n_sites} orbitals; got {len(names)}.")
    angles = np.pi / 2 - 2 * np.pi * np.arange(found.n_sites) / found.n_sites
    x, y = np.cos(angles), np.sin(angles)
    shared = found.mutual_information
    for (least, width, colour), (most, *_) in zip(
        reversed(LEVELS), [*reversed(LEVELS[:-1]), (np.inf,)], strict=True
    ):
        pairs = np.argwhere(np.triu((shared >= least) & (shared < most)))
        for i, j in pairs:
            axes.plot(x[[i, j]], y[[i, j]], color=colour, linewidth=width, zorder=1)
        axes.plot([], [], color=colour, linewidth=width, label=f"≥ {least:g}")
    areas = 20 + 500 * found.orbital_entropies / np.log(found.site_states.shape[1])
    axes.scatter(x, y, s=areas, color=GREEN, edgecolors="white", zorder=2)
    for name, across, up in zip(names, x, y, strict=True):
        axes.text(1.2 * across, 1.2 * up, name, ha="center", va="center", color=INK)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
    axes.set_axis_off()
    axes.set_title("Mutual information", loc="left")
    axes.legend(title="nats", frameon=False, fontsize="small", loc="lower right")


def draw_convergence(axes: "Axes", found: Convergence) -> None:
    """Energies of all bond dimensions over their discarded weights, and the line to weight zero."""
    line = found.extrapolation()
    above = 1e3 * (found.energies - line.energy)
    weights = np.append(found.discarded_weights[-2:], 0.0)
    axes.plot(weights, np.append(above[-2:], 0.0), color="#a9bccb", linewidth=0.8)
    axes.errorbar([0.0], [0.0], yerr=[1e3 * line.uncertainty], fmt="s", color=ORANGE, capsize=3)
    axes.plot(found.discarded_weights, above, "o", color=INK)
    for weight, energy, bond in zip(
        found.discarded_weights, above, found.bond_dimensions, strict=True
    ):
        axes.annotate(str(bond), (weight, energy), xytext=(4, -10), textcoords="offset points")
    axes.set_title("Energy by bond dimension", loc="left")
    axes.set_xlabel("largest discarded weight")
    axes.set_ylabel("above the extrapolated energy (mHartree)")

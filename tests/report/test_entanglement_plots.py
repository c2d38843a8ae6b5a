# SPDX-License-Identifier: Apache-2.0
"""Pictures of entanglement show the numbers they should."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import qlowrank as ql
from qlowrank.report.entanglement_plots import (
    LEVELS,
    WEIGHTS,
    draw_bonds,
    draw_convergence,
    draw_mutual_information,
    draw_spectra,
    entanglement_figure,
)


@pytest.fixture(scope="module")
def found():
    """Four orbitals with strong, weak and no links."""
    return ql.entanglement(
        ql.mps_from_determinants(
            [0b0011, 0b1001, 0b0101], [0b0011, 0b1001, 0b0011], [0.9, 0.4, 0.05], 4
        )
    )


@pytest.fixture
def axes():
    return Figure().subplots()


def test_bonds(found, axes):
    draw_bonds(axes, found)

    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], found.bond_entropies)
    states = axes.figure.axes[1]
    for line, weight in zip(states.lines, WEIGHTS, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), found.bond_dimensions_at(weight))


def test_spectra(found, axes):
    """The most entangled bond is drawn last, so that it is in front."""
    draw_spectra(axes, found)

    assert len(axes.lines) == 3
    largest = found.schmidt_values[int(np.argmax(found.bond_entropies))]
    np.testing.assert_array_equal(axes.lines[-1].get_ydata(), largest)


def test_circle(found, axes):
    """A line for every pair that shares at least the lowest level, as wide as its level says."""
    draw_mutual_information(axes, found, labels=["a", "b", "c", "d"])

    shared = found.mutual_information[np.triu_indices(4, 1)]
    widths = [line.get_linewidth() for line in axes.lines if len(line.get_xdata())]
    for rank, (least, width, _) in enumerate(LEVELS):
        most = LEVELS[rank - 1][0] if rank else np.inf
        assert widths.count(width) == np.count_nonzero((shared >= least) & (shared < most))
    assert [text.get_text() for text in axes.texts] == ["a", "b", "c", "d"]


def test_products_can_be_drawn(tmp_path):
    product = ql.entanglement(ql.mps_from_determinants([1], [1], [1.0], 3))

    entanglement_figure(product).savefig(tmp_path / "product.png")


def test_labels_must_fit(found, axes):
    with pytest.raises(ql.InputError, match="labels must name 4 orbitals; got 1"):
        draw_mutual_information(axes, found, labels=["a"])


def test_convergence(axes):
    """Energies above the extrapolated one in mHartree, its uncertainty, and a line to it."""
    convergence = ql.states.Convergence(
        bond_dimensions=np.array([25, 50, 100]),
        energies=np.array([-0.9, -1.0, -1.01]),
        discarded_weights=np.array([5e-4, 1e-5, 1e-6]),
        sweeps=np.array([5, 4, 4]),
        status="converged",
    )
    draw_convergence(axes, convergence)

    line = convergence.extrapolation()
    straight, *_, points = axes.lines
    np.testing.assert_allclose(points.get_ydata(), 1e3 * (convergence.energies - line.energy))
    x, y = straight.get_data()
    assert (x[-1], y[-1]) == (0.0, 0.0)
    assert y[0] / x[0] == pytest.approx(y[1] / x[1])  # one straight line
    (bar,) = axes.containers[0].lines[2]
    assert bar.get_segments()[0][:, 1] == pytest.approx(
        [-1e3 * line.uncertainty, 1e3 * line.uncertainty]
    )
    assert [text.get_text() for text in axes.texts] == ["25", "50", "100"]

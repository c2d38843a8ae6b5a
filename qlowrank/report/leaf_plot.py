# SPDX-License-Identifier: Apache-2.0
"""A picture of the leaves: how many rotated orbitals each of them needs."""

from typing import TYPE_CHECKING

import numpy as np

from qlowrank.checks import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALLEST = 1e-3
"""Hartree^½; what is smaller is drawn white."""


def draw_leaves(axes: "Axes", cores: Array) -> None:
    r"""Draw the leaves as a map of :math:`\sqrt{|Z^t_{kk}|}`, in squares :math:`|\varepsilon^t_k|`.

    Args:
        axes: Where to draw.
        cores: Z, shape (n_leaves, norb, norb), Hartree, such as those of any factorization.
    """
    from matplotlib.colors import LogNorm

    magnitudes = np.sqrt(np.abs(np.diagonal(cores, axis1=1, axis2=2))).T
    image = axes.imshow(
        np.where(magnitudes > SMALLEST, magnitudes, np.nan),
        norm=LogNorm(SMALLEST, max(float(magnitudes.max(initial=0.0)), 10 * SMALLEST)),
        aspect="auto",
        cmap="magma_r",
        interpolation="nearest",
    )
    axes.set(title="Leaves: U diag(ε) Uᵀ", xlabel="leaf", ylabel="rotated orbital")
    bar = axes.figure.colorbar(image, ax=axes, pad=0.02, label=r"|ε| / Hartree$^{1/2}$")
    bar.outline.set_visible(False)

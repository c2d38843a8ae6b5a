# SPDX-License-Identifier: Apache-2.0
r"""How the variance of a square changes with the one-body operator that is squared, in CISD states.

With :math:`x = \hat v - \langle\hat v\rangle`, :math:`\mathrm{Var}\,\tfrac12 x^2 =
(\mu_4 - \mu_2^2) / 4`. The generating function :math:`g(z) = \langle e^{z \hat v}\rangle` of
`generating` gives the moments, and its derivative with respect to the matrix of v̂ theirs. With the
adjoint B of R = exp(A) from `response`, in the eigenframe W of A with eigenvalues a,

.. math:: dg = \mathrm{tr}\, B\, dR = \mathrm{tr}\, \Gamma\, dA, \qquad
          \Gamma = W \Big(\frac{e^{a_k} - e^{a_l}}{a_k - a_l} (W^T B W)_{kl}\Big) W^T .

Source:
    Derivative of a matrix exponential: R. M. Wilcox, J. Math. Phys. 8, 962 (1967).
"""

import numpy as np

from qlowrank.checks import Array
from qlowrank.states.generating import NODES, Amplitudes, about_reference, reach, rotated_blocks
from qlowrank.states.response import excited

CLOSE = 1e-6
"""Exponents closer than this have the derivative for their difference quotient; off by 1e-13."""


def square_slope(
    matrix: Array, nelec: tuple[int, int], amplitudes: Amplitudes
) -> tuple[float, Array]:
    r"""Return Var ½(v̂ − ⟨v̂⟩)² and its derivative with respect to the matrix of v̂.

    Args:
        matrix: v, symmetric, in the reference's orbitals, the same for both spins, (norb, norb).
        nelec: Electrons of each spin; the reference fills the first orbitals.
        amplitudes: CI coefficients.

    Returns:
        The variance, and the symmetric G with d Var = Σ_pq G_pq dv_pq, shape (norb, norb).
    """
    values, frame = np.linalg.eigh(matrix)
    _, centred = about_reference(frame, np.stack([values, values]), nelec)
    unit = max(reach(centred, nelec), float(np.abs(centred).max(initial=0.0)))
    if unit == 0.0:
        return 0.0, np.zeros(matrix.shape)
    nodes = np.exp(2j * np.pi * (np.arange(NODES // 2) + 0.5) / NODES)
    samples = [_with_slope(frame, z * (centred / unit), nelec, amplitudes) for z in nodes]
    plain = np.array([g for g, _ in samples])
    slopes = np.array([slope for _, slope in samples])
    mean = np.mean(plain / nodes).real
    about = np.exp(-mean * nodes)
    order = np.arange(5)
    moments = np.mean(plain * about / nodes ** order[:, None], axis=1).real
    moments = moments * np.array([1, 1, 2, 6, 24])

    def slope_of(order: int, weights: np.ndarray) -> Array:  # dA = z dv, so one power is used up
        return np.einsum("z,zpq->pq", weights / nodes ** (order - 1), slopes).real / len(nodes)

    first = slope_of(1, np.ones(len(nodes)))
    second = 2 * slope_of(2, about)
    fourth = 24 * slope_of(4, about) - 4 * moments[3] * first
    variance = (moments[4] - moments[2] ** 2) / 4 * unit**4
    slope = (fourth - 2 * moments[2] * second) / 4 * unit**3
    turned = frame @ slope @ frame.T
    return max(float(variance), 0.0), np.asarray(turned + turned.T) / 2


def _with_slope(
    frame: Array, values: np.ndarray, nelec: tuple[int, int], amplitudes: Amplitudes
) -> tuple[complex, np.ndarray]:
    """Return g and Γ of both spins together, in the eigenframe."""
    spins = [rotated_blocks(frame, v, n) for v, n in zip(values, nelec, strict=True)]
    vacuum = spins[0].determinant * spins[1].determinant
    total, adjoints = excited(spins, amplitudes)
    slope = np.zeros(frame.shape, dtype=complex)
    for spin, n, v, (oo, ov, vv) in zip(spins, nelec, values, adjoints, strict=True):
        occupied, virtual = frame[:n], frame[n:]
        mixed = occupied.T @ ov @ virtual / 2
        inner = occupied.T @ (oo + total * spin.P) @ occupied + virtual.T @ vv @ virtual
        slope += vacuum * _quotients(v) * (inner + mixed + mixed.T)
    return complex(vacuum * total), slope


def _quotients(exponents: np.ndarray) -> np.ndarray:
    """(e^a_k − e^a_l) / (a_k − a_l), and the derivative where they are close."""
    grown = np.exp(exponents)
    gap = exponents[:, None] - exponents
    close = np.abs(gap) < CLOSE
    middle = np.exp((exponents[:, None] + exponents) / 2)
    safe = np.where(close, 1.0, gap)
    return np.where(close, middle, (grown[:, None] - grown) / safe)

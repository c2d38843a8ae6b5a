# SPDX-License-Identifier: Apache-2.0
r"""Exact moments of one-body operators in CISD states, at polynomial cost.

The exponential of a one-body operator is an orbital rotation, so the moment generating function

.. math:: g(z) = \langle\psi| e^{z \hat v} |\psi\rangle

of a CISD state is an overlap between two CISD states in different orbitals. The generalised Wick
theorem writes it through small matrices; with R = exp(zv) in the reference orbitals (symmetric,
because they are real), o and v its occupied and virtual blocks:

.. math:: D = \det R_{oo}, \quad P = R_{oo}^{-1}, \quad X = P R_{ov}, \quad
          Q = R_{vv} - R_{vo} P R_{ov}

g is analytic; its Taylor coefficients come from Cauchy's integral over a circle, where the
trapezoidal rule converges faster than any power. With v̂ about its mean in the reference, and in
units of the largest value it can take, the unit circle will do: there Re exp(z v̂) is at least
cos(1)/e, so that g and D stay away from zero and nothing cancels. Nothing of the size of the FCI
space, or even of the triples, is ever formed.

Source:
    Wick's theorem for non-orthogonal determinants as in H. G. A. Burton, J. Chem. Phys. 154,
    144109 (2021); the use for moments of density-density operators is ours.
"""

from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array

NODES = 20
"""Points on the circle. The first neglected Taylor term adds less than 2^20 k!/(k + 20)! of
itself to the k-th central moment: 2e-15 for the variance."""


@dataclass(frozen=True, eq=False)
class Amplitudes:
    r"""CI coefficients up to double excitations from one determinant, spin by spin.

    .. math:: |\psi\rangle = \Big[c_0 + \sum c^\sigma_{ia} a^\dagger_{a\sigma} a_{i\sigma}
              + \tfrac14 \sum c^{\sigma\sigma}_{ijab} a^\dagger_a a_i a^\dagger_b a_j
              + \sum c^{\alpha\beta}_{ijab} a^\dagger_{a\alpha} a_{i\alpha}
                a^\dagger_{b\beta} a_{j\beta}\Big] |0\rangle
    """

    reference: float
    """c_0."""
    single: tuple[Array, Array]
    """c^σ, shapes (occupied, virtual) for alpha and beta."""
    same: tuple[Array, Array]
    """c^σσ, shapes (occupied, occupied, virtual, virtual), antisymmetric."""
    opposite: Array
    """c^αβ, shape (occ. alpha, occ. beta, virt. alpha, virt. beta)."""


@dataclass(frozen=True, eq=False, slots=True)
class Rotated:
    """What contractions need of one spin's orbital rotation."""

    determinant: complex
    """D."""
    P: np.ndarray
    """Symmetric, shape (occupied, occupied)."""
    Q: np.ndarray
    """Symmetric, shape (virtual, virtual)."""
    X: np.ndarray
    """Shape (occupied, virtual)."""


def central_moments(
    frame: Array, values: Array, nelec: tuple[int, int], amplitudes: Amplitudes | None
) -> Array:
    r"""Return mean and central moments of a one-body operator that is diagonal in `frame`.

    .. math:: \hat v = \sum_{\sigma k} v_{\sigma k} \tilde n_{k\sigma}

    The k-th moment is exact to about k! eps v_max^k, with v_max the largest deviation of v̂ from
    its mean that any occupation of the rotated orbitals gives.

    Args:
        frame: Columns are the rotated orbitals in the reference's orbitals, (norb, norb).
        values: v, shape (2, norb): alpha, beta.
        nelec: Electrons of each spin; the reference fills the first orbitals.
        amplitudes: CI coefficients, or None for the reference alone.

    Returns:
        Shape (5,): m = ⟨v̂⟩, then ⟨(v̂ − m)^k⟩ for k = 1 to 4 (zero for k = 1).
    """
    offset, centred = about_reference(frame, values, nelec)
    unit = max(reach(centred, nelec), float(np.abs(centred).max(initial=0.0)))
    if unit == 0.0:  # nothing varies: empty and full shells
        return np.array([offset, 0.0, 0.0, 0.0, 0.0])
    # The upper half of the circle; the lower is its complex conjugate.
    nodes = np.exp(2j * np.pi * (np.arange(NODES // 2) + 0.5) / NODES)
    samples = [generating_function(frame, z * (centred / unit), nelec, amplitudes) for z in nodes]
    mean = np.mean(samples / nodes).real
    order = np.arange(5)
    taylor = np.mean(samples * np.exp(-mean * nodes) / nodes ** order[:, None], axis=1).real
    moments = taylor * np.array([1, 1, 2, 6, 24]) * unit**order
    moments[0] = offset + mean * unit
    return np.asarray(moments)


def about_reference(frame: Array, values: Array, nelec: tuple[int, int]) -> tuple[float, Array]:
    """Shift each spin's values so that their sum has mean zero in the reference; return the mean.

    A spin whose shell is empty or full has nothing left to vary: its values become zero.
    """
    offset, centred = 0.0, np.zeros(values.shape)
    for spin, n in enumerate(nelec):
        mean = float(values[spin] @ np.sum(frame[:n] ** 2, axis=0))
        offset += mean
        if 0 < n < len(frame):
            centred[spin] = values[spin] - mean / n
    return offset, centred


def reach(values: Array, nelec: tuple[int, int]) -> float:
    """Return the largest |Σ values n| over all ways to fill the orbitals."""
    ordered = np.sort(values, axis=1)
    low = sum(v[:n].sum() for v, n in zip(ordered, nelec, strict=True))
    high = sum(v[len(v) - n :].sum() for v, n in zip(ordered, nelec, strict=True))
    return max(float(high), -float(low))


def generating_function(
    frame: Array, values: np.ndarray, nelec: tuple[int, int], amplitudes: Amplitudes | None
) -> complex:
    """Return ⟨ψ| exp(Σ_σk values[σ,k] ñ_kσ) |ψ⟩.

    Args:
        frame: Columns are the rotated orbitals in the reference's orbitals, (norb, norb).
        values: Complex exponents, shape (2, norb).
        nelec: Electrons of each spin; the reference fills the first orbitals.
        amplitudes: CI coefficients, or None for the reference alone.
    """
    alpha, beta = (rotated_blocks(frame, v, n) for v, n in zip(values, nelec, strict=True))
    vacuum = alpha.determinant * beta.determinant
    if amplitudes is None:
        return vacuum
    number, singles = contracted(amplitudes, (alpha.X, beta.X))
    total = number**2
    for spin, single, double in zip((alpha, beta), singles, amplitudes.same, strict=True):
        total += np.sum(single * (spin.P @ single @ spin.Q))
        half = half_rotated(double, spin)
        total += np.sum(half * half.transpose(1, 0, 3, 2)) / 4
    first = half_rotated(amplitudes.opposite, alpha)
    second = half_rotated(amplitudes.opposite.transpose(1, 0, 3, 2), beta)
    total += np.sum(first * second.transpose(1, 0, 3, 2))
    return complex(vacuum * total)


def rotated_blocks(frame: Array, values: np.ndarray, occupied: int) -> Rotated:
    """Blocks of R = W diag(exp(values)) Wᵀ."""
    rotation = (frame * np.exp(values)) @ frame.T
    ov, vv = rotation[:occupied, occupied:], rotation[occupied:, occupied:]
    inverse = np.linalg.inv(rotation[:occupied, :occupied])
    overlap = inverse @ ov
    return Rotated(
        determinant=complex(np.linalg.det(rotation[:occupied, :occupied])),
        P=inverse,
        Q=vv - ov.T @ overlap,
        X=overlap,
    )


def contracted(
    amplitudes: Amplitudes, overlaps: tuple[np.ndarray, np.ndarray]
) -> tuple[complex, list[np.ndarray]]:
    """Contract all, and all but one, of the excitations with X."""
    alpha, beta = overlaps
    same = [one_left(c, x) for c, x in zip(amplitudes.same, overlaps, strict=True)]
    mixed = one_left(amplitudes.opposite, beta)
    mixed_beta = one_left(amplitudes.opposite.transpose(1, 0, 3, 2), alpha)
    number = amplitudes.reference + np.sum(mixed * alpha)
    for single, double, x in zip(amplitudes.single, same, overlaps, strict=True):
        number += np.sum((single + double / 2) * x)
    singles = [
        single + double + other
        for single, double, other in zip(amplitudes.single, same, (mixed, mixed_beta), strict=True)
    ]
    return complex(number), singles


def one_left(double: Array, single: np.ndarray) -> np.ndarray:
    """Return Σ_jb c_ijab x_jb, shape (i, a), as one product of a matrix."""
    i, j, a, b = double.shape
    matrix = double.transpose(0, 2, 1, 3).reshape(i * a, j * b)
    return np.asarray(matrix @ single.ravel()).reshape(i, a)


def half_rotated(double: Array, spin: Rotated) -> np.ndarray:
    """Return Σ_ia P_ki Q_ca c_ijab, shape (j, k, c, b)."""
    i, j, a, b = double.shape
    virtual = (spin.Q.real @ double) + 1j * (spin.Q.imag @ double)
    # Many small products: long thin ones would wake threads that wait for one another.
    both = spin.P @ virtual.reshape(i, j, a * b).transpose(1, 0, 2)
    return both.reshape(j, i, a, b)

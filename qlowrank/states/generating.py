# SPDX-License-Identifier: Apache-2.0
r"""Exact moments of one-body operators in CISD states, at polynomial cost.

The exponential of a one-body operator is an orbital rotation, so the moment generating function

.. math:: g(\theta) = \langle\psi| e^{\theta \hat v} |\psi\rangle

of a CISD state is an overlap between two CISD states in different orbitals. The generalised Wick
theorem writes it through small matrices; with R = exp(θv) in the reference orbitals, o and v its
occupied and virtual blocks:

.. math:: D = \det R_{oo}, \quad P = R_{oo}^{-1}, \quad X = P R_{ov}, \quad Y = R_{vo} P, \quad
          Q = R_{vv} - R_{vo} P R_{ov}

g is analytic; its Taylor coefficients come from Cauchy's integral over a small circle, where the
trapezoidal rule converges faster than any power. With the circle's radius at most one over the
largest value v̂ can take, g has no zero inside and nothing cancels. Nothing of the size of the FCI
space, or even of the triples, is ever formed.

Source:
    Wick's theorem for non-orthogonal determinants as in H. G. A. Burton, J. Chem. Phys. 154,
    144109 (2021); the use for moments of density-density operators is ours.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from opt_einsum import contract_expression
from opt_einsum.contract import ContractExpression

from qlowrank.checks import Array

NODES = 16
"""Points on the circle; the first neglected Taylor term is of relative size 1/20!."""


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
class _Rotated:
    """The blocks of one spin's orbital rotation that contractions need."""

    determinant: complex
    P: np.ndarray
    Q: np.ndarray
    X: np.ndarray
    Y: np.ndarray


def _blocks(frame: Array, values: np.ndarray, occupied: int) -> _Rotated:
    """Blocks of W diag(exp(values)) Wᵀ."""
    rotation = (frame * np.exp(values)) @ frame.T
    oo, ov = rotation[:occupied, :occupied], rotation[:occupied, occupied:]
    vo, vv = rotation[occupied:, :occupied], rotation[occupied:, occupied:]
    inverse = np.linalg.inv(oo)
    return _Rotated(
        determinant=complex(np.linalg.det(oo)),
        P=inverse,
        Q=vv - vo @ inverse @ ov,
        X=inverse @ ov,
        Y=(vo @ inverse).T,
    )


def generating_function(
    frame: Array, values: np.ndarray, nelec: tuple[int, int], amplitudes: Amplitudes | None
) -> complex:
    """Return ⟨ψ| exp(Σ_kσ values[σ,k] ñ_kσ) |ψ⟩.

    Args:
        frame: Columns are the rotated orbitals in the reference's orbitals, (norb, norb).
        values: Complex exponents, shape (2, norb).
        nelec: Electrons of each spin; the reference fills the first orbitals.
        amplitudes: CI coefficients, or None for the reference alone.
    """
    spins = [_blocks(frame, v, n) for v, n in zip(values, nelec, strict=True)]
    vacuum = spins[0].determinant * spins[1].determinant
    if amplitudes is None:
        return vacuum
    bra_number, bra_single = _contracted(amplitudes, [s.Y for s in spins])
    ket_number, ket_single = _contracted(amplitudes, [s.X for s in spins])
    total = bra_number * ket_number
    for spin, bra, ket, double in zip(spins, bra_single, ket_single, amplitudes.same, strict=True):
        total += np.sum(bra * (spin.P.T @ ket @ spin.Q.T))
        total += np.sum(double * _rotate(double, (spin, spin))) / 4
    total += np.sum(amplitudes.opposite * _rotate(amplitudes.opposite, (spins[0], spins[1])))
    return complex(vacuum * total)


def _contracted(
    amplitudes: Amplitudes, pairing: list[np.ndarray]
) -> tuple[complex, list[np.ndarray]]:
    """Contract all, and all but one, of the excitations with single-particle overlaps (o, v)."""
    alpha, beta = pairing
    doubles = [
        np.tensordot(c, t, axes=((1, 3), (0, 1)))
        for c, t in zip(amplitudes.same, pairing, strict=True)
    ]
    mixed_alpha = np.tensordot(amplitudes.opposite, beta, axes=((1, 3), (0, 1)))
    mixed_beta = np.tensordot(amplitudes.opposite, alpha, axes=((0, 2), (0, 1)))
    number = amplitudes.reference + np.sum(mixed_alpha * alpha)
    for single, double, t in zip(amplitudes.single, doubles, pairing, strict=True):
        number += np.sum((single + double / 2) * t)
    singles = [
        amplitudes.single[0] + doubles[0] + mixed_alpha,
        amplitudes.single[1] + doubles[1] + mixed_beta,
    ]
    return complex(number), singles


def _rotate(double: Array, spins: tuple[_Rotated, _Rotated]) -> np.ndarray:
    """Return Σ P_ki P_lj Q_ac Q_bd c_klcd, the double excitations seen from the other orbitals."""
    first, second = spins
    shapes = (first.P.shape, second.P.shape, first.Q.shape, second.Q.shape, double.shape)
    return np.asarray(_rotation(shapes)(first.P, second.P, first.Q, second.Q, double))


@lru_cache(maxsize=16)
def _rotation(shapes: tuple[tuple[int, ...], ...]) -> ContractExpression:
    """Return the contraction of `_rotate`, its order worked out once for these shapes."""
    return contract_expression("ki,lj,ac,bd,klcd->ijab", *shapes, optimize="optimal")


def reach(values: Array, nelec: tuple[int, int]) -> float:
    """Return the largest |Σ values n| over all ways to fill the orbitals."""
    high = sum(np.sort(v)[::-1][:n].sum() for v, n in zip(values, nelec, strict=True))
    low = sum(np.sort(v)[:n].sum() for v, n in zip(values, nelec, strict=True))
    return max(abs(float(high)), abs(float(low)))


def moments_of_one(
    frame: Array, values: Array, nelec: tuple[int, int], amplitudes: Amplitudes | None
) -> Array:
    """Return ⟨x^k⟩ for k = 0..4 of x = Σ_kσ values[σ,k] ñ_kσ."""
    radius = 1.0 / max(reach(values, nelec), np.finfo(float).tiny ** 0.25)
    half = np.arange(NODES // 2 + 1)
    nodes = radius * np.exp(2j * np.pi * half / NODES)
    samples = np.array([generating_function(frame, z * values, nelec, amplitudes) for z in nodes])
    samples = np.concatenate([samples, samples[-2:0:-1].conj()])
    taylor = np.fft.fft(samples).real[:5] / NODES
    return np.asarray(taylor * np.array([1, 1, 2, 6, 24]) / radius ** np.arange(5))


def moments_of_two(
    frame: Array,
    first: Array,
    second: Array,
    nelec: tuple[int, int],
    amplitudes: Amplitudes | None,
) -> Array:
    """Return ⟨x^j y^k⟩ for j, k = 0..2 of two commuting one-body operators in one frame."""
    radii = [0.5 / max(reach(v, nelec), np.finfo(float).tiny ** 0.25) for v in (first, second)]
    circle = np.exp(2j * np.pi * np.arange(NODES) / NODES)
    samples = np.empty((NODES, NODES), dtype=complex)
    for i in range(NODES // 2 + 1):
        for j in range(NODES):
            exponent = radii[0] * circle[i] * first + radii[1] * circle[j] * second
            samples[i, j] = generating_function(frame, exponent, nelec, amplitudes)
            samples[-i, -j] = samples[i, j].conj()
    taylor = np.fft.fft2(samples).real[:3, :3] / NODES**2
    order = np.arange(3)
    scale = np.array([1, 1, 2])
    return np.asarray(taylor * np.outer(scale / radii[0] ** order, scale / radii[1] ** order))

# SPDX-License-Identifier: Apache-2.0
r"""Covariances of a square with every occupation number of its frame, in CISD states.

The gradient of the generating function with respect to its exponents,

.. math:: \frac{\partial g}{\partial v_k} = \langle\psi| \tilde n_k e^{\hat v} |\psi\rangle,

gives all occupation numbers of a frame at once, at the cost of a few evaluations of g itself.
Backward differentiation of the formulas in `generating`; R is complex symmetric, so P and Q are.
"""

import numpy as np

from qlowrank.checks import Array
from qlowrank.states.generating import (
    NODES,
    Amplitudes,
    Rotated,
    about_reference,
    contracted,
    half_rotated,
    one_left,
    reach,
    rotated_blocks,
)


def square_covariances(
    frame: Array, values: Array, nelec: tuple[int, int], amplitudes: Amplitudes | None
) -> Array:
    r"""Return the covariance of a square with the occupation numbers of its frame.

    .. math:: c_k = \mathrm{Cov}\big(\tfrac12 \hat v^2, \tilde n_k\big), \qquad
              \hat v = \sum_{\sigma k} v_{\sigma k} \tilde n_{k\sigma}, \quad
              \tilde n_k = \tilde n_{k\alpha} + \tilde n_{k\beta}

    Args:
        frame: Columns are the rotated orbitals in the reference's orbitals, (norb, norb).
        values: v, shape (2, norb): alpha, beta.
        nelec: Electrons of each spin; the reference fills the first orbitals.
        amplitudes: CI coefficients, or None for the reference alone.

    Returns:
        c, shape (norb,), in the square of the unit of v.
    """
    offset, centred = about_reference(frame, values, nelec)
    unit = max(reach(centred, nelec), float(np.abs(centred).max(initial=0.0)))
    if unit == 0.0:
        return np.zeros(frame.shape[1])
    nodes = np.exp(2j * np.pi * (np.arange(NODES // 2) + 0.5) / NODES)
    samples = [_with_gradient(frame, z * (centred / unit), nelec, amplitudes) for z in nodes]
    powers = nodes ** np.arange(3)[:, None]
    scale = np.array([1, 1, 2]) * unit ** np.arange(3)
    plain = np.mean(np.array([g for g, _ in samples]) / powers, axis=1).real * scale
    each = np.array([gradient.sum(axis=0) for _, gradient in samples])
    joint = np.einsum("zk,pz->pk", each, 1 / powers).real / len(nodes) * scale[:, None]
    covariance = joint - plain[:, None] * joint[0]
    return np.asarray(covariance[2] / 2 + offset * covariance[1])


def _with_gradient(
    frame: Array, values: np.ndarray, nelec: tuple[int, int], amplitudes: Amplitudes | None
) -> tuple[complex, np.ndarray]:
    """Return g and its derivatives with respect to each exponent, shape (2, norb)."""
    spins = [rotated_blocks(frame, v, n) for v, n in zip(values, nelec, strict=True)]
    vacuum = spins[0].determinant * spins[1].determinant
    total, adjoints = excited(spins, amplitudes)
    gradient = []
    for spin, n, v, (oo, ov, vv) in zip(spins, nelec, values, adjoints, strict=True):
        occupied, virtual = frame[:n], frame[n:]
        inner = (oo + total * spin.P) @ occupied + ov @ virtual
        slope = np.sum(occupied * inner, axis=0) + np.sum(virtual * (vv @ virtual), axis=0)
        gradient.append(vacuum * np.exp(v) * slope)
    return complex(vacuum * total), np.array(gradient)


def excited(
    spins: list[Rotated], amplitudes: Amplitudes | None
) -> tuple[complex, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Return g / D and its adjoints with respect to the blocks R_oo, R_ov, R_vv of each spin."""
    if amplitudes is None:
        nothing = [(np.zeros_like(s.P), np.zeros_like(s.X), np.zeros_like(s.Q)) for s in spins]
        return 1.0, nothing
    alpha, beta = spins
    number, singles = contracted(amplitudes, (alpha.X, beta.X))
    moved = [s.P @ b @ s.Q for s, b in zip(spins, singles, strict=True)]
    total = number**2 + sum(np.sum(b * m) for b, m in zip(singles, moved, strict=True))
    swapped = amplitudes.opposite.transpose(1, 0, 3, 2)
    through = (
        one_left(amplitudes.opposite, moved[1]),
        one_left(swapped, moved[0]),
    )
    adjoints = []
    pairs = ((alpha, amplitudes.opposite, beta), (beta, swapped, alpha))
    for index, (spin, opposite, other) in enumerate(pairs):
        same, single = amplitudes.same[index], singles[index]
        from_same = one_left(same, moved[index])
        bar_X = 2 * (number * single + from_same + through[index])
        bar_P, bar_Q = single @ spin.Q @ single.T, single.T @ spin.P @ single
        value, in_P, in_Q = _double_adjoints(same, spin, spin)
        total += value / 4
        bar_P, bar_Q = bar_P + in_P / 2, bar_Q + in_Q / 2
        value, in_P, in_Q = _double_adjoints(opposite, spin, other)
        total += value / 2
        adjoints.append(_of_blocks(spin, bar_P + in_P, bar_Q + in_Q, bar_X))
    return complex(total), adjoints


def _double_adjoints(
    double: Array, spin: Rotated, other: Rotated
) -> tuple[complex, np.ndarray, np.ndarray]:
    """Return Σ c_ijab P_ki P_lj Q_ca Q_db c_klcd, and its adjoints for `spin`'s P and Q alone."""
    occ, _, virt, _ = double.shape
    half = half_rotated(double.transpose(1, 0, 3, 2), other)  # (k, j, b, c)
    turned = double.transpose(0, 1, 3, 2)  # (i, j, b, a)
    virtual = half @ spin.Q  # (k, j, b, a)
    occupied = (spin.P.T @ half.reshape(occ, -1)).reshape(half.shape)  # (i, j, b, c)
    in_P = virtual.reshape(occ, -1) @ turned.reshape(occ, -1).T
    in_Q = occupied.reshape(-1, virt).T @ turned.reshape(-1, virt)
    return complex(np.sum(in_P * spin.P)), in_P, in_Q


def _of_blocks(
    spin: Rotated, bar_P: np.ndarray, bar_Q: np.ndarray, bar_X: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Carry adjoints of P, Q, X back to R_oo, R_ov (both off-diagonal blocks), R_vv."""
    P, X = spin.P, spin.X
    oo = -P @ (bar_X @ X.T + bar_P @ P) + X @ bar_Q @ X.T
    ov = P @ bar_X - X @ (bar_Q + bar_Q.T)
    return oo, ov, bar_Q

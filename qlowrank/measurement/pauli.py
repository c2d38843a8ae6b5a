# SPDX-License-Identifier: Apache-2.0
"""The Hamiltonian as a sum of Pauli strings: its Jordan-Wigner transform in block order."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.record import Hamiltonian

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp

MOST_ORBITALS = 64
"""Orbitals whose qubits of one spin fit into one machine word."""

NEGLIGIBLE = 1e-10
"""Hartree; coefficients up to this are zeros of symmetry, blurred by rounding."""

BYTES_PER_ELEMENT = 240
"""Most memory the transform takes for each (pq|rs)."""


@dataclass(frozen=True, eq=False)
class PauliSum:
    r"""A real operator as a constant and Pauli strings with real coefficients.

    .. math:: H = c_0 + \sum_j c_j P(x_j, z_j), \qquad
              P(x, z) = i^{|x \wedge z|} \prod_k X_k^{x_k} Z_k^{z_k}

    Bit p of a mask stands for qubit p in the alpha column and for qubit norb + p in the beta
    column: Qiskit's block order. A qubit with both bits set carries Y. Terms ascend by the x mask
    and then by the z mask, read as integers. Make one with `pauli_terms`.
    """

    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """(n_alpha, n_beta) of the Hamiltonian; the operator itself acts on every sector."""
    norb: int = field(metadata={"units": "1"})
    """Number of spatial orbitals, half the number of qubits."""
    constant: float = field(metadata={"units": "hartree"})
    """Coefficient of the identity, Hartree; it is not measured."""
    coefficients: Array = field(metadata={"units": "hartree", "axes": "term"})
    """c, shape (n_terms,), Hartree."""
    x_masks: np.ndarray = field(metadata={"units": "1", "axes": "term,spin"})
    """Qubits with X or Y, unsigned integers, shape (n_terms, 2)."""
    z_masks: np.ndarray = field(metadata={"units": "1", "axes": "term,spin"})
    """Qubits with Z or Y, unsigned integers, shape (n_terms, 2)."""
    discarded: float = field(metadata={"units": "hartree"})
    """Sum of the magnitudes of the terms left out, Hartree; no energy is off by more."""

    def __post_init__(self) -> None:
        count = len(self.coefficients)
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, self.norb))
        object.__setattr__(self, "constant", checks.finite("constant", self.constant))
        object.__setattr__(
            self, "coefficients", checks.readonly("coefficients", self.coefficients, (count,))
        )
        for name in ("x_masks", "z_masks"):
            object.__setattr__(self, name, self._masks(name, count))
        if (np.bitwise_count(self.x_masks & self.z_masks).sum(axis=1) % 2).any():
            raise InputError(
                "Every Pauli string must have an even number of Y, as in any real operator; "
                f"{self} has one with an odd number."
            )

    def _masks(self, name: str, count: int) -> np.ndarray:
        """Return a read-only view of masks, or say what is wrong with them."""
        masks = np.asarray(getattr(self, name))
        if masks.shape != (count, 2) or masks.dtype != np.uint64:
            raise InputError(
                f"{name} must be uint64 of shape ({count}, 2), alpha and beta; got {masks.dtype} "
                f"of shape {masks.shape}."
            )
        if self.norb < MOST_ORBITALS and (masks >> np.uint64(self.norb)).any():
            raise InputError(f"{name} has bits beyond the {self.norb} qubits of a spin.")
        view = masks.view()
        view.flags.writeable = False
        return view

    @property
    def n_terms(self) -> int:
        """Number of Pauli strings, the identity not counted."""
        return len(self.coefficients)

    @property
    def n_qubits(self) -> int:
        """Two for each orbital."""
        return 2 * self.norb

    def to_sparse_pauli_op(self) -> "SparsePauliOp":
        """Return Qiskit's operator: the identity with the constant first, then every term.

        >>> from qlowrank.hamiltonian.read import from_example
        >>> pauli_terms(from_example("h2")).to_sparse_pauli_op().num_qubits
        4
        """
        from qiskit.quantum_info import PauliList, SparsePauliOp

        def table(masks: np.ndarray) -> np.ndarray:
            bits = (masks[:, :, None] >> np.arange(self.norb, dtype=np.uint64)) & np.uint64(1)
            flat = bits.reshape(self.n_terms, self.n_qubits).astype(bool)
            return np.vstack([np.zeros((1, self.n_qubits), dtype=bool), flat])

        strings = PauliList.from_symplectic(table(self.z_masks), table(self.x_masks))
        return SparsePauliOp(strings, np.concatenate([[self.constant], self.coefficients]))

    def __repr__(self) -> str:
        """Say how large it is."""
        return f"PauliSum({self.n_terms} terms on {self.n_qubits} qubits, nelec={self.nelec})"


def pauli_terms(
    hamiltonian: Hamiltonian, *, tolerance: float = NEGLIGIBLE, max_memory: float | None = None
) -> PauliSum:
    r"""Return the Jordan-Wigner transform of a Hamiltonian, alpha orbitals first.

    With Majorana operators, :math:`B_{pq\sigma} = i \gamma_{p\sigma} \bar\gamma_{q\sigma}` is one
    Pauli string: :math:`-Z_p` for p = q, :math:`Y_p Z \cdots Z Y_q` for p < q and
    :math:`X_q Z \cdots Z X_p` for p > q. A symmetric matrix M is then
    :math:`\sum M_{pq} E_{pq} = \operatorname{tr} M + \tfrac12 \sum_{pq\sigma} M_{pq} B_{pq\sigma}`,
    and the sum of squares becomes

    .. math::
        H = c_0 + \tfrac12 \sum_{pq\sigma} \Big(\kappa_{pq} + \sum_r (rr|pq)\Big) B_{pq\sigma}
          + \tfrac14 \sum_{pqrs} (pq|rs)\, B_{pq\alpha} B_{rs\beta}
          + \tfrac14 \sum_\sigma \sum_{p<r,\, q<s} \big[(pq|rs) - (ps|rq)\big]
            B_{pq\sigma} B_{rs\sigma}

    in which no string occurs twice, so nothing has to be collected.

    Args:
        hamiltonian: The operator; its factors as they stand.
        tolerance: Terms with coefficients up to this are left out, Hartree.
        max_memory: Bytes the work may take; the machine's free memory by default.

    Raises:
        InputError: More than 64 orbitals, or terms that would not fit in memory.

    Source:
        J. T. Seeley, M. J. Richard, P. J. Love, J. Chem. Phys. 137, 224109 (2012),
        arXiv:1208.5986, for the Jordan-Wigner transform.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> pauli_terms(from_example("h2"))
    PauliSum(14 terms on 4 qubits, nelec=(1, 1))
    """
    norb = hamiltonian.norb
    least = checks.tolerance(tolerance)
    if norb > MOST_ORBITALS:
        raise InputError(
            f"Pauli terms are made for at most {MOST_ORBITALS} orbitals; got {norb}. Choose an "
            "active space."
        )
    checks.fits(
        f"The Jordan-Wigner transform of {norb} orbitals",
        BYTES_PER_ELEMENT * norb**4,
        max_memory,
        "Choose a smaller active space.",
    )
    two_body = hamiltonian.two_body(max_memory=max_memory)
    parts = [
        *_one_body_terms(hamiltonian, least),
        _opposite_spin_terms(two_body, least),
        *_same_spin_terms(two_body, least),
    ]
    coefficients = np.concatenate([part.coefficients for part in parts])
    x_masks = np.concatenate([part.x_masks for part in parts])
    z_masks = np.concatenate([part.z_masks for part in parts])
    order = np.lexsort((z_masks[:, 0], z_masks[:, 1], x_masks[:, 0], x_masks[:, 1]))
    return PauliSum(
        nelec=hamiltonian.nelec,
        norb=norb,
        constant=_identity(hamiltonian),
        coefficients=coefficients[order],
        x_masks=x_masks[order],
        z_masks=z_masks[order],
        discarded=float(sum(part.discarded for part in parts)),
    )


@dataclass(frozen=True, slots=True)
class _Strings:
    """Signed Pauli strings of one spin: sign × P(x, z); any shape, the same for all three."""

    x: np.ndarray
    z: np.ndarray
    sign: Array

    def __getitem__(self, index: tuple[np.ndarray, ...]) -> "_Strings":
        return _Strings(self.x[index], self.z[index], self.sign[index])

    def __mul__(self, other: "_Strings") -> "_Strings":
        """The product of strings that commute."""
        x, z = self.x ^ other.x, self.z ^ other.z
        power = (
            _count(self.x & self.z)
            + _count(other.x & other.z)
            + 2 * _count(self.z & other.x)
            - _count(x & z)
        )
        return _Strings(x, z, self.sign * other.sign * (1 - power % 4))


@dataclass(frozen=True, slots=True)
class _Terms:
    """Part of a Pauli sum, with the sum of magnitudes that fell below the tolerance."""

    coefficients: Array
    x_masks: np.ndarray
    z_masks: np.ndarray
    discarded: float


def _identity(hamiltonian: Hamiltonian) -> float:
    """Coefficient of the identity: E0 + tr κ + ½ Σ_t (tr L_t)² + ¼ Σ_t |L_t|²."""
    traces = np.trace(hamiltonian.factors, axis1=1, axis2=2)
    squares = float(traces @ traces) / 2 + float(np.sum(hamiltonian.factors**2)) / 4
    return hamiltonian.constant + float(np.trace(hamiltonian.kappa)) + squares


def _one_body_terms(hamiltonian: Hamiltonian, tolerance: float) -> list[_Terms]:
    """½ (κ + Σ_t tr(L_t) L_t)_pq B_pqσ, alpha and beta."""
    traces = np.trace(hamiltonian.factors, axis1=1, axis2=2)
    weights = (hamiltonian.kappa + np.tensordot(traces, hamiltonian.factors, 1)) / 2
    kept = np.nonzero(np.abs(weights) > tolerance)
    strings = _excitations(hamiltonian.norb)[kept]
    return _for_each_spin(weights[kept], strings, _discarded(weights, tolerance))


def _opposite_spin_terms(two_body: Array, tolerance: float) -> _Terms:
    """¼ (pq|rs) B_pqα B_rsβ."""
    weights = two_body / 4
    p, q, r, s = np.nonzero(np.abs(weights) > tolerance)
    strings = _excitations(len(two_body))
    alpha, beta = strings[p, q], strings[r, s]
    return _Terms(
        coefficients=weights[p, q, r, s] * alpha.sign * beta.sign,
        x_masks=np.stack([alpha.x, beta.x], axis=1),
        z_masks=np.stack([alpha.z, beta.z], axis=1),
        discarded=_discarded(weights, tolerance),
    )


def _same_spin_terms(two_body: Array, tolerance: float) -> list[_Terms]:
    """¼ [(pq|rs) − (ps|rq)] B_pqσ B_rsσ over p < r and q < s, alpha and beta."""
    low, high = np.triu_indices(len(two_body), 1)
    p, r, q, s = low[:, None], high[:, None], low, high
    weights = (two_body[p, q, r, s] - two_body[p, s, r, q]) / 4
    bra, ket = np.nonzero(np.abs(weights) > tolerance)
    strings = _excitations(len(two_body))
    products = strings[low[bra], low[ket]] * strings[high[bra], high[ket]]
    return _for_each_spin(weights[bra, ket], products, _discarded(weights, tolerance))


def _excitations(norb: int) -> _Strings:
    """The strings B_pq of one spin, shape (norb, norb)."""
    bit = np.uint64(1) << np.arange(norb, dtype=np.uint64)
    below = bit - np.uint64(1)
    return _Strings(
        x=bit[:, None] ^ bit, z=below[:, None] ^ below ^ bit, sign=1.0 - 2.0 * np.eye(norb)
    )


def _for_each_spin(weights: Array, strings: _Strings, discarded: float) -> list[_Terms]:
    """The same strings on the alpha and on the beta qubits."""
    nothing = np.zeros_like(strings.x)
    return [
        _Terms(
            coefficients=weights * strings.sign,
            x_masks=np.stack([strings.x, nothing][::step], axis=1),
            z_masks=np.stack([strings.z, nothing][::step], axis=1),
            discarded=discarded,
        )
        for step in (1, -1)
    ]


def _discarded(weights: Array, tolerance: float) -> float:
    """Sum of the magnitudes up to the tolerance."""
    magnitudes = np.abs(weights)
    return float(magnitudes[magnitudes <= tolerance].sum())


def _count(masks: np.ndarray) -> np.ndarray:
    """Number of bits set, as integers that may be subtracted."""
    return np.bitwise_count(masks).astype(np.int64)

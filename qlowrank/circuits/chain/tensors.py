# SPDX-License-Identifier: Apache-2.0
"""A chain of qubits as dense tensors: canonical form, gates on neighbours, overlaps.

Small on purpose: tensors are (left, 2, right) arrays, gates act on the bits of neighbouring
positions, the first position being the most significant bit.
"""

from collections.abc import Sequence

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError


class Chain:
    """A normalised chain of qubits whose norm sits in one tensor, the centre.

    Args:
        tensors: One array (left, 2, right) for each position, right-canonical: the centre is 0.
    """

    def __init__(self, tensors: list[Array]) -> None:
        self.tensors = tensors
        self._centre = 0

    def __len__(self) -> int:
        return len(self.tensors)

    def copy(self) -> "Chain":
        """Return a chain that shares its tensors until one of the two changes."""
        other = Chain(list(self.tensors))
        other._centre = self._centre
        return other

    def apply(self, position: int, gate: Array, max_bond: int) -> None:
        """Apply a two-qubit gate to a position and the next; cut the bond between them.

        Args:
            position: The first of the two.
            gate: Shape (4, 4).
            max_bond: Most states kept, the heaviest; the chain stays normalised.
        """
        self._move(position)
        pair = np.tensordot(self.tensors[position], self.tensors[position + 1], axes=1)
        left, right = pair.shape[0], pair.shape[-1]
        pair = np.einsum("xy,lyr->lxr", gate, pair.reshape(left, 4, right))
        vectors, values, others = np.linalg.svd(pair.reshape(2 * left, -1), full_matrices=False)
        rank = max(1, min(max_bond, int(np.count_nonzero(values > 1e-14 * values[0]))))
        values = values[:rank] / np.linalg.norm(values[:rank])
        self.tensors[position] = (vectors[:, :rank] * values).reshape(left, 2, rank)
        self.tensors[position + 1] = others[:rank].reshape(rank, 2, right)

    def _move(self, position: int) -> None:
        """Bring the centre to one of a position and the next."""
        while self._centre < position:
            tensor = self.tensors[self._centre]
            isometry, rest = np.linalg.qr(tensor.reshape(-1, tensor.shape[2]))
            self.tensors[self._centre] = isometry.reshape(*tensor.shape[:2], -1)
            after = self.tensors[self._centre + 1]
            self.tensors[self._centre + 1] = np.tensordot(rest, after, axes=1)
            self._centre += 1
        while self._centre > position + 1:
            tensor = self.tensors[self._centre]
            isometry, rest = np.linalg.qr(tensor.reshape(len(tensor), -1).T)
            self.tensors[self._centre] = isometry.T.reshape(-1, *tensor.shape[1:])
            before = self.tensors[self._centre - 1]
            self.tensors[self._centre - 1] = np.tensordot(before, rest.T, axes=1)
            self._centre -= 1
        self._centre = position


def zeros(length: int) -> Chain:
    """Return all qubits in |0⟩."""
    return Chain([np.array([[[1.0], [0.0]]]) for _ in range(length)])


def overlap(bra: Chain, ket: Chain) -> float:
    """Return ⟨bra|ket⟩."""
    left = np.ones((1, 1))
    for one, other in zip(bra.tensors, ket.tensors, strict=True):
        left = grown(left, one, other)
    return float(left[0, 0])


def grown(overlaps: Array, upper: Array, lower: Array) -> Array:
    """Overlaps of bond states, one more position included."""
    half = np.tensordot(overlaps, lower, axes=1)
    return np.asarray(np.tensordot(upper, half, axes=((0, 1), (0, 1))))


def cut(tensors: Sequence[Array], max_bond: int) -> tuple[Chain, float]:
    """Return the chain of at most `max_bond` states a bond, and its squared overlap with all of it.

    Right-canonical: every tensor but the first is an isometry from the right. Successive cuts are
    projections, so the squared overlap is the squared norm that is left.
    """
    work = [np.asarray(tensor, dtype=np.float64) for tensor in tensors]
    for k in range(len(work) - 1):
        isometry, rest = np.linalg.qr(work[k].reshape(-1, work[k].shape[2]))
        work[k] = isometry.reshape(*work[k].shape[:2], -1)
        work[k + 1] = np.tensordot(rest, work[k + 1], axes=1)
    norm = np.linalg.norm(work[-1])
    if norm == 0:
        raise InputError("A chain to prepare must not be zero.")
    work[-1] = work[-1] / norm
    for k in range(len(work) - 1, 0, -1):
        matrix = work[k].reshape(len(work[k]), -1)
        vectors, values, others = np.linalg.svd(matrix, full_matrices=False)
        rank = max(1, min(max_bond, int(np.count_nonzero(values > 1e-14 * values[0]))))
        work[k] = others[:rank].reshape(rank, *work[k].shape[1:])
        work[k - 1] = np.tensordot(work[k - 1], vectors[:, :rank] * values[:rank], axes=1)
    kept = float(np.linalg.norm(work[0]) ** 2)
    work[0] = work[0] / np.sqrt(kept)
    return Chain(work), min(kept, 1.0)


def checked(tensors: Sequence[Array]) -> list[Array]:
    """Return the tensors of a chain of qubits, or say what is wrong."""
    shapes = [np.shape(tensor) for tensor in tensors]
    ends = [1, *(shape[-1] if shape else 0 for shape in shapes)]
    fits = all(len(shape) == 3 and shape[1] == 2 for shape in shapes)  # (left, bit, right)
    if not shapes or not fits or ends[-1] != 1 or [shape[0] for shape in shapes] != ends[:-1]:
        raise InputError(
            "A chain of qubits needs arrays (left, 2, right) whose neighbours agree and whose ends "
            f"are 1; got shapes {shapes}."
        )
    return [checks.readonly(f"tensors[{k}]", t, shapes[k]) for k, t in enumerate(tensors)]

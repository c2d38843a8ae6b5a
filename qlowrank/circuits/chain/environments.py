# SPDX-License-Identifier: Apache-2.0
"""Overlaps of two chains with two neighbours left open, remembered where nothing changed."""

from dataclasses import dataclass, field

import numpy as np

from qlowrank.checks import Array
from qlowrank.circuits.chain.tensors import Chain, grown

Known = list[tuple[Array, Array, Array]]
"""From an end inwards: tensors of bra and ket, and overlaps up to them."""


@dataclass(slots=True)
class Environments:
    """Overlaps from both ends; those of tensors that are still the same objects are kept.

    A gate changes a few neighbouring tensors of a chain and shares the others with its copies, so
    that along a staircase of gates each step costs a few contractions and not the whole chain.
    """

    left: Known = field(default_factory=list)
    """From the first position on."""
    right: Known = field(default_factory=list)
    """From the last position on."""

    def at(self, bra: Chain, ket: Chain, position: int) -> Array:
        """Return ⟨bra|·|ket⟩ with a position and the next open, shape (4 of bra, 4 of ket)."""
        upper, lower = bra.tensors, ket.tensors
        left = _overlaps(self.left, upper[:position], lower[:position])
        beyond = [
            [tensor.T for tensor in tensors[: position + 1 : -1]] for tensors in (upper, lower)
        ]
        right = _overlaps(self.right, *beyond)
        pairs = [
            np.tensordot(tensors[position], tensors[position + 1], axes=1).reshape(
                len(tensors[position]), 4, -1
            )
            for tensors in (upper, lower)
        ]
        half = np.tensordot(np.tensordot(left, pairs[1], axes=1), right, axes=(2, 1))
        return np.asarray(np.tensordot(pairs[0], half, axes=((0, 2), (0, 2))))


def _overlaps(known: Known, upper: list[Array], lower: list[Array]) -> Array:
    """Return overlaps with all these tensors included, and remember them."""
    overlaps = np.ones((1, 1))
    valid = True
    for k, (one, other) in enumerate(zip(upper, lower, strict=True)):
        valid = valid and k < len(known) and _same(known[k][0], one) and _same(known[k][1], other)
        if not valid:
            del known[k:]
            known.append((one, other, grown(overlaps, one, other)))
        overlaps = known[k][2]
    return overlaps


def _same(one: Array, other: Array) -> bool:
    """Tell whether two arrays are views of the same memory in the same shape."""
    return one is other or (
        one.shape == other.shape
        and one.__array_interface__["data"] == other.__array_interface__["data"]
        and one.strides == other.strides
    )

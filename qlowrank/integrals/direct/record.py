# SPDX-License-Identifier: Apache-2.0
"""What a decomposition without the four-index tensor gives."""

from dataclasses import dataclass, field

from qlowrank.checks import Array
from qlowrank.integrals.record import Constants, Source
from qlowrank.lowrank import Truncation


@dataclass(frozen=True, eq=False, slots=True)
class Squares:
    """One-body part, exact exchange and factors of a molecule: all of its Hamiltonian."""

    constants: Constants
    """Energy of nuclei and frozen core."""
    one_body: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """h, shape (norb, norb), symmetric, Hartree; contains the field of a frozen core."""
    kappa: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """h − ½ Σ_r (pr|rq) with exact integrals, shape (norb, norb), Hartree."""
    factors: Array = field(metadata={"units": "hartree^0.5", "axes": "factor,orbital,orbital"})
    """L, shape (rank, norb, norb), symmetric, Hartree^½."""
    nelec: tuple[int, int]
    """Active electrons of each spin."""
    truncation: Truncation
    """What was left out, proven."""
    source: Source
    """Where it came from."""

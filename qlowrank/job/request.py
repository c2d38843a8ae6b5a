# SPDX-License-Identifier: Apache-2.0
"""What a job is asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MoleculeRequest:
    """Which molecule, as asked for; None leaves the source's own choice."""

    name: str
    """An XYZ file, an FCIDUMP file, an archive, or the name of an example."""
    basis: str | None = None
    """Basis set."""
    charge: int | None = None
    """Total charge."""
    spin: int | None = None
    """n_alpha − n_beta."""
    active: tuple[int, int] | None = None
    """(electrons, orbitals)."""
    tolerance: float | None = None
    """Largest error of any two-electron integral, Hartree."""
    max_memory: float | None = None
    """Bytes that large arrays may take."""
    auxiliary: str | None = None
    """Auxiliary basis to fit the integrals of a geometry in; they are exact without."""
    checkpoint: Path | None = None
    """Folder to keep work in, for an interrupted job to go on with; for geometries."""


@dataclass(frozen=True, slots=True)
class MPSRequest:
    """Which MPS is to be found."""

    max_bond: int = 200
    """Most states of a bond."""
    orbitals: str = "molecule"
    """What the sites are: one of `SITES`."""
    scratch: str = ""
    """Folder for DMRG's files; empty for the system's place for temporary files."""


@dataclass(frozen=True, slots=True)
class MeasurementRequest:
    """How the plan is to be priced."""

    state: str
    """One of `STATES`."""
    precision: float
    """Standard error asked for, Hartree."""
    fragments: str
    """One of `FRAGMENTS`."""
    seed: int = 0
    """Of methods that draw random numbers."""
    mps: MPSRequest | None = None
    """Which MPS the state is to be; None for 200 states a bond in local orbitals."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What to do with a molecule; parts that are None are left out."""

    molecule: MoleculeRequest
    """Which molecule."""
    method: str | None = None
    """One of `KIND_OF_METHOD`, or None to stop at the Hamiltonian."""
    measurement: MeasurementRequest | None = None
    """How to price a plan."""
    shift: bool | None = None
    """Whether the leaves are shifted by the number of electrons; None for what the method does by
    itself: an optimised gauge is shifted, others are not."""
    resources: float | None = None
    """Precision of phase estimation to count gates for, Hartree."""
    entangled: MPSRequest | None = None
    """The MPS whose entanglement is wanted."""
    n_leaves: int | None = None
    """Leaves of a compression or points of a hypercontraction; None for a share of the orbitals."""
    seed: int | None = None
    """Of what a gauge or a fit begins with; None for 0, or for whichever an archive has."""

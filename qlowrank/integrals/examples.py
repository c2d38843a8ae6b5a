# SPDX-License-Identifier: Apache-2.0
"""Molecules that can be asked for by name."""

import hashlib
import math
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from qlowrank.checks import InputError
from qlowrank.integrals.arrays import read_arrays
from qlowrank.integrals.record import Constants, Integrals, Source

Atoms = tuple[tuple[str, tuple[float, float, float]], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A geometry with what one usually computes for it."""

    summary: str
    """One line for a list of examples."""
    atoms: Atoms
    """Element and coordinates in Ångström."""
    basis: str
    """Basis unless another is asked for."""
    spin: int = 0
    """n_alpha − n_beta."""
    active: tuple[int, int] | None = None
    """(electrons, orbitals), or None for all."""


def _line(symbols: str, spacing: float) -> Atoms:
    """Atoms on the z axis at equal distances, Ångström."""
    elements = symbols.split()
    return tuple((s, (0.0, 0.0, round(i * spacing, 10))) for i, s in enumerate(elements))


def _bent(distance: float, angle: float) -> Atoms:
    """Water with both bonds `distance` Ångström and the angle in degrees."""
    half = math.radians(angle) / 2
    y, z = round(distance * math.sin(half), 10), round(distance * math.cos(half), 10)
    return (("O", (0.0, 0.0, 0.0)), ("H", (0.0, y, z)), ("H", (0.0, -y, z)))


EXAMPLES: dict[str, Example] = {
    "h2": Example("H2 at 1.0 Å", _line("H H", 1.0), "sto-3g"),
    "lih": Example("LiH at 1.0 Å", _line("Li H", 1.0), "sto-3g"),
    "beh2": Example("linear BeH2, bonds of 1.0 Å", _line("H Be H", 1.0), "sto-3g"),
    "water": Example("H2O, bonds of 1.0 Å at 107.6°", _bent(1.0, 107.6), "sto-3g"),
    "n2": Example("N2 at 1.1 Å, CAS(10, 8)", _line("N N", 1.1), "cc-pvdz", active=(10, 8)),
    "n2-stretched": Example(
        "N2 at 2.2 Å, CAS(10, 8)", _line("N N", 2.2), "cc-pvdz", active=(10, 8)
    ),
    "o2": Example("triplet O2 at 1.208 Å", _line("O O", 1.208), "sto-3g", spin=2),
    "h10": Example("chain of ten H at 1.0 Å", _line(" ".join(["H"] * 10), 1.0), "sto-6g"),
}
"""Examples that start from a geometry."""

FEMOCO = "femoco"
"""Name of the example that starts from a file of integrals."""


def read_femoco() -> Integrals:
    """Read the 54-orbital active space of the iron-molybdenum cofactor of nitrogenase.

    The integrals are those of Reiher et al., as shipped inside the openfermion package.

    Source:
        M. Reiher, N. Wiebe, K. M. Svore, D. Wecker, M. Troyer, PNAS 114, 7555 (2017).

    Raises:
        FileNotFoundError: The installed openfermion does not ship the file.
    """
    import h5py

    spec = find_spec("openfermion")
    if spec is None or spec.origin is None:
        raise InputError("The femoco example needs openfermion: pip install openfermion.")
    path = Path(spec.origin).parent / "resource_estimates" / "integrals" / "eri_reiher.h5"
    if not path.exists():
        raise FileNotFoundError(
            "The installed openfermion does not ship the FeMoCo integrals "
            f"({path.name}); install openfermion 1.7 or newer."
        )
    with h5py.File(path, "r") as file:
        one_body, two_body = file["h0"][()], file["eri"][()]
        constant = float(np.asarray(file["ecore"][()]))
    plain = read_arrays(constant, (one_body + one_body.T) / 2, two_body, (27, 27))
    return replace(
        plain,
        constants=Constants(other=constant),
        source=Source(
            name=FEMOCO,
            origin="FeMoCo (Reiher et al. 2017), 54 electrons in 54 orbitals",
            molecule=None,
            references=(),
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        ),
    )

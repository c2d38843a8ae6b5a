# SPDX-License-Identifier: Apache-2.0
"""Integrals from OpenFermion's MolecularData."""

from dataclasses import replace
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.integrals.arrays import read_arrays
from qlowrank.integrals.mean_field import ENERGY_TOLERANCE
from qlowrank.integrals.record import (
    Constants,
    Integrals,
    Molecule,
    Reference,
    Source,
    determinant_energy,
    hill_formula,
)


def read_molecular_data(data: Any) -> Integrals:
    """Read an OpenFermion `MolecularData` that holds integrals.

    OpenFermion stores h[p,q,r,s] = (ps|qr); it is brought to chemists' order here.

    Args:
        data: `openfermion.MolecularData` with one- and two-body integrals (its `load()` called).

    Raises:
        InputError: Integrals are missing, do not rebuild the stored Hartree-Fock energy, or the
            multiplicity does not fit the electrons.
    """
    one_body = getattr(data, "one_body_integrals", None)
    two_body = getattr(data, "two_body_integrals", None)
    if not hasattr(data, "multiplicity"):
        raise InputError(f"Expected an openfermion.MolecularData; got {type(data).__name__}.")
    if one_body is None or two_body is None or np.ndim(two_body) != 4:
        raise InputError(
            "This MolecularData holds no integrals; run a plugin such as openfermionpyscf with "
            "them stored, then call load()."
        )
    spin = checks.whole("multiplicity", data.multiplicity) - 1
    n_electrons = checks.whole("n_electrons", data.n_electrons)
    if not 0 <= spin <= n_electrons or (n_electrons - spin) % 2:
        raise InputError(
            f"multiplicity {spin + 1} is impossible with {n_electrons} electrons; make this "
            "MolecularData anew."
        )
    nelec = ((n_electrons + spin) // 2, (n_electrons - spin) // 2)
    nuclear = checks.finite("nuclear_repulsion", data.nuclear_repulsion)
    plain = read_arrays(nuclear, one_body, np.transpose(two_body, (0, 3, 1, 2)), nelec)
    stored = data.hf_energy
    integrals = replace(
        plain,
        constants=Constants(nuclear_repulsion=nuclear),
        source=Source(
            name=str(data.name),
            origin="OpenFermion MolecularData",
            molecule=_molecule(data, spin),
            references=() if stored is None else (Reference("HF", float(stored)),),
            digest=plain.source.digest,
        ),
    )
    rebuilt = determinant_energy(integrals)
    if stored is not None and not abs(rebuilt - float(stored)) <= ENERGY_TOLERANCE:
        raise InputError(
            f"The Hartree-Fock energy rebuilt from this MolecularData is {rebuilt:.10f} Hartree, "
            f"and it stores {float(stored):.10f}: they must agree to {ENERGY_TOLERANCE:g}. Its "
            "integrals and its energy come from different calculations; make it anew."
        )
    return integrals


def _molecule(data: Any, spin: int) -> Molecule:
    """Formula, geometry, basis, charge and spin as OpenFermion names them."""
    return Molecule(
        formula=hill_formula(symbol for symbol, _ in data.geometry),
        geometry="\n".join(f"{s} {x:.10f} {y:.10f} {z:.10f}" for s, (x, y, z) in data.geometry),
        basis=str(data.basis),
        charge=int(data.charge),
        spin=spin,
    )

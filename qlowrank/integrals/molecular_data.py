# SPDX-License-Identifier: Apache-2.0
"""Integrals from OpenFermion's MolecularData."""

from dataclasses import replace
from typing import Any

import numpy as np

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
)


def read_molecular_data(data: Any) -> Integrals:
    """Read an OpenFermion `MolecularData` that holds integrals.

    OpenFermion stores h[p,q,r,s] = (ps|qr); it is brought to chemists' order here.

    Args:
        data: `openfermion.MolecularData` with one- and two-body integrals (its `load()` called).

    Raises:
        InputError: Integrals are missing, or do not rebuild the stored Hartree-Fock energy.
    """
    one_body = getattr(data, "one_body_integrals", None)
    two_body = getattr(data, "two_body_integrals", None)
    if one_body is None or two_body is None:
        raise InputError(
            "This MolecularData holds no integrals; run a plugin such as openfermionpyscf with "
            "them stored, then call load()."
        )
    spin = int(data.multiplicity) - 1
    nelec = ((int(data.n_electrons) + spin) // 2, (int(data.n_electrons) - spin) // 2)
    nuclear = float(data.nuclear_repulsion)
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
    symbols = [symbol for symbol, _ in data.geometry]
    counts = {symbol: symbols.count(symbol) for symbol in sorted(symbols)}
    return Molecule(
        formula="".join(s + (str(n) if n > 1 else "") for s, n in counts.items()),
        geometry="\n".join(f"{s} {x:.10f} {y:.10f} {z:.10f}" for s, (x, y, z) in data.geometry),
        basis=str(data.basis),
        charge=int(data.charge),
        spin=spin,
    )

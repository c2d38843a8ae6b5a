# SPDX-License-Identifier: Apache-2.0
"""The Hamiltonian in other packages' terms: OpenFermion operators and FCIDUMP files."""

from pathlib import Path
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.hamiltonian.record import Hamiltonian, packed_two_body
from qlowrank.integrals.fcidump import Fcidump, write_fcidump


def to_openfermion(hamiltonian: Hamiltonian) -> Any:
    r"""Return an OpenFermion `InteractionOperator`.

    OpenFermion orders spin orbitals α0 β0 α1 β1 … and stores
    :math:`H = c + \sum h_{PQ} a_P^\dagger a_Q + \sum g_{PQRS} a_P^\dagger a_Q^\dagger a_R a_S`
    with :math:`g_{PQRS} = \tfrac12 (ps|qr)` for equal spins of P,S and of Q,R. The conversion works
    on modes, so that a Jordan-Wigner transform afterwards has the right signs.

    Args:
        hamiltonian: The operator to convert.

    Raises:
        InputError: The dense tensor over spin orbitals would not fit in memory.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> to_openfermion(from_example("h2")).n_qubits
    4
    """
    from openfermion import InteractionOperator

    norb = hamiltonian.norb
    checks.fits(
        f"OpenFermion's dense tensor of {2 * norb} spin orbitals",
        8 * 18 * norb**4,  # it has 16 norb⁴ elements, and two spatial ones are made on the way
        None,
        "Work with the factors instead.",
    )
    one_body = np.zeros((2 * norb, 2 * norb))
    two_body = np.zeros((2 * norb,) * 4)
    halved = hamiltonian.two_body().transpose(0, 2, 3, 1) / 2
    alpha, beta = slice(0, None, 2), slice(1, None, 2)
    for spin in (alpha, beta):
        one_body[spin, spin] = hamiltonian.normal_ordered_one_body()
        for other in (alpha, beta):
            two_body[spin, other, other, spin] = halved
    return InteractionOperator(hamiltonian.constant, one_body, two_body)


def to_fcidump(hamiltonian: Hamiltonian, path: str | Path, *, overwrite: bool = False) -> None:
    """Write the operator as an FCIDUMP file.

    The one-electron part written is the one that belongs to the written two-electron part, so that
    the file describes this operator, not the one before truncation.

    Args:
        hamiltonian: The operator to write.
        path: File to write.
        overwrite: Replace an existing file.

    Raises:
        FileExistsError: The file exists and `overwrite` is False.
        InputError: The dense tensor would not fit in memory.
    """
    npair = hamiltonian.norb * (hamiltonian.norb + 1) // 2
    checks.fits(
        f"The packed two-electron tensor of {hamiltonian.norb} orbitals",
        8 * npair * (npair + hamiltonian.rank),
        None,
        "Work with the factors instead.",
    )
    dump = Fcidump(
        nelec=hamiltonian.nelec,
        constant=hamiltonian.constant,
        one_body=hamiltonian.normal_ordered_one_body(),
        two_body=packed_two_body(hamiltonian),
        orbsym=(1,) * hamiltonian.norb,
    )
    write_fcidump(path, dump, overwrite=overwrite)

# SPDX-License-Identifier: Apache-2.0
"""The Hamiltonian in OpenFermion's terms, and through FCIDUMP files."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.hamiltonian import from_fcidump, from_integrals, from_pyscf
from qlowrank.integrals.fcidump import Fcidump, write_fcidump
from tests.molecules import fci_energy, fci_spectrum, fock_spectrum, integrals, mean_field
from tests.strategies import hamiltonians


def sectors(operator):
    """Dense block of every (n_alpha, n_beta): OpenFermion's qubit 2p + spin, the first leftmost."""
    from openfermion import get_sparse_operator

    matrix = get_sparse_operator(operator).tocsr()
    n_qubits = operator.n_qubits
    bits = (np.arange(2**n_qubits)[:, None] >> np.arange(n_qubits)[::-1]) & 1
    counts = bits[:, 0::2].sum(axis=1), bits[:, 1::2].sum(axis=1)
    for a in range(n_qubits // 2 + 1):
        for b in range(n_qubits // 2 + 1):
            inside = (counts[0] == a) & (counts[1] == b)
            assert abs(matrix[inside][:, ~inside]).max() == 0.0
            yield (a, b), matrix[inside][:, inside].toarray()


@pytest.mark.parametrize("name", ["h", "h2", "h3", "h2-631g", "lih"])
def test_openfermion_sees_the_same_spectrum(name):
    """All of Fock space, 2 to 12 qubits, sector by sector: a wrong sign shows where n_α ≠ n_β."""
    exact = integrals(name)
    operator = from_pyscf(mean_field(name), tolerance=0.0).to_openfermion()
    found = []
    for nelec, block in sectors(operator):
        np.testing.assert_allclose(block, block.conj().T, atol=1e-12)
        values = np.linalg.eigvalsh(block)
        np.testing.assert_allclose(values, fci_spectrum(*exact[:3], nelec), rtol=0, atol=1e-9)
        found.extend(values)
    np.testing.assert_allclose(np.sort(found), fock_spectrum(*exact[:3]), rtol=0, atol=1e-9)


@settings(max_examples=25)
@given(hamiltonians(largest=2))
def test_openfermion_sees_random_spectra(arrays):
    """Without any symmetry in space that could hide an error. Values of order one to ten."""
    operator = from_integrals(*arrays, tolerance=0.0).to_openfermion()
    for nelec, block in sectors(operator):
        expected = fci_spectrum(*arrays[:3], nelec)
        np.testing.assert_allclose(np.linalg.eigvalsh(block), expected, rtol=0, atol=1e-9)


def test_openfermion_gets_the_truncated_operator():
    """With the one-body part that goes with the truncated squares."""
    from openfermion import get_sparse_operator

    hamiltonian = from_pyscf(mean_field("h2-631g"), tolerance=1e-1)
    lowest = np.linalg.eigvalsh(get_sparse_operator(hamiltonian.to_openfermion()).toarray())[0]
    truncated = (
        hamiltonian.constant,
        hamiltonian.normal_ordered_one_body(),
        hamiltonian.two_body(),
    )
    assert abs(lowest - fock_spectrum(*truncated)[0]) <= 1e-9
    assert abs(lowest - fock_spectrum(*integrals("h2-631g")[:3])[0]) > 1e-4


def test_fcidump_round_trip(tmp_path):
    hamiltonian = from_pyscf(mean_field("cn"), tolerance=0.0)
    path = tmp_path / "cn.fcidump"
    hamiltonian.to_fcidump(path)
    back = from_fcidump(path, tolerance=0.0)
    assert (back.norb, back.nelec) == (hamiltonian.norb, hamiltonian.nelec) == (10, (7, 6))
    assert back.constant == hamiltonian.constant
    one_body = np.tril(hamiltonian.normal_ordered_one_body())  # what a file holds
    np.testing.assert_array_equal(np.tril(back.one_body), one_body)
    np.testing.assert_allclose(back.two_body(), hamiltonian.two_body(), rtol=0, atol=1e-13)
    assert back.source.name == "cn"
    assert back.source.origin == "FCIDUMP"
    assert back.source.molecule is None
    assert back.source.digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("tolerance", [0.0, 1e-2])
def test_fcidump_describes_this_operator(tmp_path, tolerance):
    """PySCF reads it, and finds the energy of what was written, truncated or not."""
    from pyscf.tools import fcidump

    hamiltonian = from_pyscf(mean_field("beh"), tolerance=tolerance)
    hamiltonian.to_fcidump(tmp_path / "FCIDUMP")
    read = fcidump.read(str(tmp_path / "FCIDUMP"), verbose=False)
    assert (read["NELEC"], read["MS2"]) == (5, 1)
    theirs = fci_energy(read["ECORE"], read["H1"], read["H2"], (3, 2))
    ours = fci_energy(
        hamiltonian.constant,
        hamiltonian.normal_ordered_one_body(),
        hamiltonian.two_body(),
        hamiltonian.nelec,
    )
    assert abs(theirs - ours) <= 1e-10


def test_fcidump_is_not_overwritten_unless_asked(tmp_path):
    path = tmp_path / "FCIDUMP"
    path.write_text("precious")
    hamiltonian = from_pyscf(mean_field("h2"))
    with pytest.raises(FileExistsError, match="FCIDUMP exists; pass overwrite=True"):
        hamiltonian.to_fcidump(path)
    assert path.read_text() == "precious"
    hamiltonian.to_fcidump(path, overwrite=True)
    assert from_fcidump(path).rank == 3


def test_fcidump_of_few_digits(tmp_path):
    """Printed to 1e-5: enough for a tolerance of 1e-3, not for one of 1e-6."""
    constant, one_body, two_body, nelec = integrals("water")
    rows, cols = np.tril_indices(7)
    packed = np.round(two_body[rows, cols][:, rows, cols], 5)
    assert np.linalg.eigvalsh(packed)[0] < -1e-6
    dump = Fcidump(nelec, constant, np.round(one_body, 5), (packed + packed.T) / 2, (1,) * 7)
    write_fcidump(tmp_path / "FCIDUMP", dump)
    assert from_fcidump(tmp_path / "FCIDUMP", tolerance=1e-3).max_abs_error_bound <= 1e-3
    for tolerance in (0.0, 1e-6):
        with pytest.raises(InputError, match="that the tolerance is not below"):
            from_fcidump(tmp_path / "FCIDUMP", tolerance=tolerance)


def test_dense_tensors_are_guarded(tmp_path, monkeypatch):
    hamiltonian = from_pyscf(mean_field("lih"))
    monkeypatch.setattr(checks, "available_memory", lambda: 5000)
    with pytest.raises(InputError, match=r"tensor of 12 spin orbitals needs 186\.62 kB"):
        hamiltonian.to_openfermion()
    with pytest.raises(InputError, match="packed two-electron tensor of 6 orbitals needs"):
        hamiltonian.to_fcidump(tmp_path / "FCIDUMP")
    assert not (tmp_path / "FCIDUMP").exists()

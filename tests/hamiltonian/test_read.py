# SPDX-License-Identifier: Apache-2.0
"""From integrals that nobody vouches for: each element is compared, not only the diagonal."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.hamiltonian import decompose, definiteness, from_fcidump, from_integrals, from_pyscf
from qlowrank.integrals.arrays import read_arrays
from qlowrank.integrals.fcidump import Fcidump, write_fcidump
from tests.molecules import integrals, mean_field
from tests.strategies import generators


def hidden(size=0.1):
    """Eightfold symmetric and indefinite, with nothing on the diagonal that would show it."""
    two_body = np.zeros((2,) * 4)
    two_body[0, 0, 1, 1] = two_body[1, 1, 0, 0] = size
    return two_body


@pytest.mark.parametrize("tolerance", [0.0, 1e-6, 0.05])
def test_indefinite_behind_an_innocent_diagonal(tolerance):
    """Pivoted Cholesky never looks at these elements: its diagonal is zero from the start."""
    assert decompose(read_arrays(0, np.eye(2), hidden(), (1, 1)), tolerance=tolerance).rank == 0
    with pytest.raises(
        InputError,
        match=r"not positive semidefinite: with every .* is 1\.00e-01; as a matrix over pairs of "
        r"orbitals they have 1 negative eigenvalue, -1\.00e-01 Hartree.*order is \(pq\|rs\)",
    ):
        from_integrals(0.0, np.eye(2), hidden(), (1, 1), tolerance=tolerance)


def test_what_the_tolerance_allows():
    hamiltonian = from_integrals(0.0, np.eye(2), hidden(0.1), (1, 1), tolerance=0.11)
    assert hamiltonian.rank == 0
    assert hamiltonian.max_abs_error_bound == 0.1


@given(generators, st.integers(2, 4), st.floats(0.01, 1.0))
def test_indefinite_tensors(generator, norb, share):
    """One square with the wrong sign."""
    factors = generator.standard_normal((3, norb, norb))
    factors += factors.transpose(0, 2, 1)
    signs = np.array([1.0, 1.0, -share])
    two_body = np.einsum("t,tpq,trs->pqrs", signs, factors, factors)
    values = np.linalg.eigvalsh(two_body.reshape(norb**2, norb**2))
    lowest = f"{values[0]:.2e}"
    with pytest.raises(InputError, match=f"1 negative eigenvalue, {re.escape(lowest)} Hartree"):
        from_integrals(0.0, np.eye(norb), two_body, (1, 1))


def test_several_negative_eigenvalues(monkeypatch):
    """Of two diagonal pairs and one off-diagonal, which stands for two."""
    two_body = np.zeros((2,) * 4)
    two_body[0, 0, 0, 0], two_body[1, 1, 1, 1] = 1.0, -0.25
    for place in ((0, 1, 0, 1), (1, 0, 1, 0), (0, 1, 1, 0), (1, 0, 0, 1)):
        two_body[place] = -0.1
    message = "2 negative eigenvalues, the lowest -2.50e-01 Hartree, all together -4.50e-01"
    with pytest.raises(InputError, match=re.escape(message)):
        from_integrals(0.0, np.eye(2), two_body, (1, 1))
    monkeypatch.setattr(definiteness, "MOST_PAIRS", 2)
    with pytest.raises(InputError, match="3 orbital pairs are too many to say by how much"):
        from_integrals(0.0, np.eye(2), two_body, (1, 1))


def test_missing_integrals():
    """(00|11) of H2 left out, as by a program that lists what it thinks is small."""
    constant, one_body, two_body, nelec = integrals("h2")
    for place in (
        (0, 0, 1, 1),
        (1, 1, 0, 0),
        (0, 1, 0, 1),
        (1, 0, 0, 1),
        (0, 1, 1, 0),
        (1, 0, 1, 0),
    ):
        two_body = two_body.copy()
        two_body[place] = 0.0 if place[0] == place[1] else -two_body[place]
    with pytest.raises(InputError, match="not positive semidefinite"):
        from_integrals(constant, one_body, two_body, nelec)


@pytest.mark.parametrize("tolerance", [-1e-6, np.nan, np.inf, None])
def test_bad_tolerances(tmp_path, tolerance):
    with pytest.raises(InputError, match="tolerance must be"):
        from_integrals(*integrals("h2"), tolerance=tolerance)
    with pytest.raises(InputError, match="tolerance must be"):
        from_fcidump(tmp_path / "none", tolerance=tolerance)
    with pytest.raises(InputError, match="tolerance must be"):
        decompose(read_arrays(*integrals("h2")), tolerance=tolerance)


def test_a_tolerance_below_double_precision():
    with pytest.raises(InputError, match=r"tolerance 1\.0e-17 is below what double precision can"):
        from_integrals(*integrals("h2"), tolerance=1e-17)


def test_memory_of_a_file(tmp_path):
    dump = Fcidump((1, 1), 0.0, np.eye(3), np.eye(6), (1, 1, 1))
    write_fcidump(tmp_path / "FCIDUMP", dump)
    assert from_fcidump(tmp_path / "FCIDUMP", max_memory=1e6).norb == 3
    with pytest.raises(InputError, match=r"needs .* bytes of memory, and the limit is 100 bytes"):
        from_fcidump(tmp_path / "FCIDUMP", max_memory=100)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        from_fcidump(tmp_path / "none")


def test_progress_is_told(tmp_path):
    told = []
    hamiltonian = from_pyscf(mean_field("water"), progress=lambda *news: told.append(news))
    assert told[-1] == ("Cholesky vectors", hamiltonian.rank, None)
    told.clear()
    hamiltonian.to_fcidump(tmp_path / "FCIDUMP")
    from_fcidump(tmp_path / "FCIDUMP", progress=lambda *news: told.append(news))
    assert told


def test_the_same_bytes_twice():
    first, second = (from_pyscf(mean_field("water")) for _ in range(2))
    assert first.factors.tobytes() == second.factors.tobytes()
    assert first.kappa.tobytes() == second.kappa.tobytes()
    assert (first.truncation, first.source) == (second.truncation, second.source)


def test_names():
    assert from_pyscf(mean_field("water")).source.name == "H2O"
    assert from_pyscf(mean_field("water"), name="my water").source.name == "my water"

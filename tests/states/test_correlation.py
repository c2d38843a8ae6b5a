# SPDX-License-Identifier: Apache-2.0
"""Errors of CCSD(T), which is full CI for two electrons, from approximated integrals."""

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError
from tests.molecules import fci_spectrum, mean_field


def operator(record):
    back = record.to_hamiltonian()
    return back.constant, back.normal_ordered_one_body(), back.two_body()


def triplet():
    """Two electrons of one spin in four orbitals."""
    exact = ql.from_pyscf(mean_field("h2-631g"), tolerance=1e-12)
    return ql.from_integrals(
        exact.constant, exact.one_body, exact.two_body(), (2, 0), tolerance=1e-12
    )


@pytest.mark.parametrize(
    "exact", [ql.from_pyscf(mean_field("h2-631g"), tolerance=1e-12), triplet()]
)
def test_two_electrons_against_full_ci(exact):
    """CCSD is exact here; 1e-9 Hartree is its convergence, squared terms of amplitudes below."""
    for record in (
        exact,
        ql.truncate(exact, ql.ErrorRule(1e-2)),
        ql.compress(ql.double_factorize(exact), n_leaves=3),
        ql.hypercontract(exact, n_points=5),
    ):
        found = ql.coupled_cluster_error(record, exact)
        if isinstance(record, ql.Hamiltonian):
            parts = record.constant, record.normal_ordered_one_body(), record.two_body()
        else:
            two_body = record.two_body()
            parts = record.constant, record.one_body + np.einsum("prrq->pq", two_body) / 2, two_body
        own = fci_spectrum(*parts, exact.nelec)[0]
        whole = fci_spectrum(
            exact.constant, exact.normal_ordered_one_body(), exact.two_body(), exact.nelec
        )[0]
        assert found.mean_field + found.correlation == pytest.approx(own, abs=1e-7)
        assert found.error == pytest.approx(own - whole, abs=2e-7)


def test_what_it_says_and_refuses():
    exact = ql.from_example("lih")
    same = ql.coupled_cluster_error(exact, exact)
    assert same.error == 0.0
    assert repr(same) == (
        "CoupledClusterError(CCSD(T) off by 0.000 mHartree, of which 0.000 are correlation)"
    )
    factorization = ql.double_factorize(exact)
    with pytest.raises(InputError, match=r"Undo that first, with ql\.unshift"):
        ql.coupled_cluster_error(ql.shift_symmetry(factorization), exact)
    with pytest.raises(InputError, match="they must be the same"):
        ql.coupled_cluster_error(ql.from_example("h2"), exact)
    with pytest.raises(InputError, match="exact must be a Hamiltonian; got a Double"):
        ql.coupled_cluster_error(exact, factorization)
    with pytest.raises(InputError, match="got a int"):
        ql.coupled_cluster_error(3, exact)
    with pytest.raises(InputError, match=r"CCSD\(T\) of 6 orbitals"):
        ql.coupled_cluster_error(exact, exact, max_memory=1)

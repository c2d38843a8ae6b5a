# SPDX-License-Identifier: Apache-2.0
"""What a truncation is proven to cost: every element, the trace, and every energy.

The truncated Hamiltonian has kappa from the exact integrals and misses ½ Σ_k r̂_k² ≥ 0. For η
electrons r̂² ≤ η Σ_i r(i)², so ½ Σ_k r̂_k² ≤ (η / 2) tr(γ Σ_k r_k²) ≤ η tr R: each eigenvalue
rises by 0 to η tr R when the residual R is put back. No tolerance but rounding enters here.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.hamiltonian import from_integrals, from_pyscf
from tests.molecules import fci_spectrum, integrals, mean_field
from tests.strategies import hamiltonians

EPS = np.finfo(float).eps
TOLERANCES = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]


def rounding(constant, one_body, two_body):
    """What diagonalising a matrix of this norm may round: its elements are sums of all these."""
    size = abs(constant) + 2 * np.abs(one_body).sum() + 2 * np.abs(two_body).sum()
    return 10 * len(one_body) ** 2 * EPS * size


def spectrum(hamiltonian, nelec):
    return fci_spectrum(
        hamiltonian.constant,
        hamiltonian.normal_ordered_one_body(),
        hamiltonian.two_body(),
        nelec,
    )


def assert_certified(hamiltonian, exact, nelec):
    """Every eigenvalue lies at or below the exact one, and not further below than promised."""
    allowed = rounding(*exact[:3])
    rise = fci_spectrum(*exact[:3], nelec) - spectrum(hamiltonian, nelec)
    assert rise.min() >= -allowed
    assert rise.max() <= sum(nelec) * hamiltonian.residual_trace + allowed
    return rise


@pytest.mark.parametrize("name", ["h2-631g", "h3", "heh", "lih", "beh", "water"])
def test_energies_are_lower_bounds(name):
    """Also with an open shell; and all excited states, though one looks at the lowest only."""
    exact = integrals(name)
    traces = []
    for tolerance in TOLERANCES:
        hamiltonian = from_pyscf(mean_field(name), tolerance=tolerance)
        assert hamiltonian.max_abs_error_bound <= tolerance
        assert_certified(hamiltonian, exact, exact[3])
        traces.append(hamiltonian.residual_trace)
    assert traces == sorted(traces, reverse=True)


def test_the_bound_is_not_empty():
    """A loose tolerance does move the energy, and the certificate sees it."""
    exact = integrals("water")
    hamiltonian = from_pyscf(mean_field("water"), tolerance=1e-1)
    assert assert_certified(hamiltonian, exact, exact[3])[0] > 1e-3


@settings(max_examples=50)
@given(hamiltonians(largest=3), st.floats(1e-9, 3.0))
def test_all_sectors_of_random_hamiltonians(arrays, tolerance):
    hamiltonian = from_integrals(*arrays, tolerance=tolerance)
    norb = len(arrays[1])
    for nelec in [(a, b) for a in range(norb + 1) for b in range(norb + 1)]:
        assert_certified(hamiltonian, arrays, nelec)


@given(hamiltonians(), st.just(0.0) | st.floats(1e-9, 3.0))
def test_elements_and_trace(arrays, tolerance):
    two_body = arrays[2]
    hamiltonian = from_integrals(*arrays, tolerance=tolerance)
    residual = two_body - hamiltonian.two_body()
    allowed = 4 * len(two_body) ** 2 * EPS * np.abs(two_body).max(initial=0.0)
    assert np.abs(residual).max(initial=0.0) <= hamiltonian.max_abs_error_bound + allowed
    if tolerance:
        assert hamiltonian.max_abs_error_bound <= tolerance + allowed
    trace = np.einsum("pqpq->", residual)
    assert abs(trace - hamiltonian.residual_trace) <= len(two_body) ** 2 * (
        allowed + (hamiltonian.max_abs_error_bound if tolerance == 0.0 else 0.0)
    )
    assert hamiltonian.truncation.rank == hamiltonian.rank
    assert hamiltonian.truncation.tolerance == tolerance


@pytest.mark.parametrize("name", ["o2", "n2"])
def test_elements_of_molecules(name):
    """Any tolerance: every element of (pq|rs), not only the diagonal that proves it."""
    two_body = integrals(name)[2]
    for tolerance in TOLERANCES:
        hamiltonian = from_pyscf(mean_field(name), tolerance=tolerance)
        error = np.abs(hamiltonian.two_body() - two_body).max()
        assert error <= hamiltonian.max_abs_error_bound <= tolerance
        assert error > tolerance / 1e3  # it is a truncation


def test_a_basis_with_little_to_tell_its_functions_apart():
    """H2 in aug-cc-pVTZ: rounding of the orbital transformation makes (pq|rs) indefinite.

    Without a tolerance, what is lost to that is reported, not refused; one below it is refused.
    """
    from pyscf import scf

    from tests.molecules import converged, molecule

    mf = converged(scf.RHF(molecule("h2", basis="aug-cc-pvtz")))
    hamiltonian = from_pyscf(mf, tolerance=0.0)
    assert 1e-10 < hamiltonian.max_abs_error_bound < 1e-6
    assert hamiltonian.rank < 1081 // 2
    assert from_pyscf(mf, tolerance=1e-6).max_abs_error_bound <= 1e-6
    with pytest.raises(InputError, match=r"not positive semidefinite|double precision"):
        from_pyscf(mf, tolerance=1e-12)

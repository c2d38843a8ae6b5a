# SPDX-License-Identifier: Apache-2.0
"""Cut Hamiltonians keep their certificates: elements, traces, energies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.hamiltonian.residual import residual_of, rounding
from qlowrank.lowrank import RandomizedSVD, TruncatedSVD
from tests import molecules
from tests.strategies import hamiltonians

RULES = {
    "error": ql.ErrorRule(1e-3),
    "trace": ql.TraceRule(5e-3),
    "energy": ql.EnergyRule(2e-2),
    "certificate": ql.EnergyRule(1e-3, certificate=lambda h: h.residual_trace),
}


def exact_error(name, hamiltonian):
    """R of a molecule, from integrals that were transformed by einsum."""
    return molecules.integrals(name)[2] - hamiltonian.two_body()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("prepare", [lambda h: h, ql.principal_factors], ids=["pivots", "eigen"])
def test_bounds_hold_and_the_residual_is_positive(rule, prepare):
    whole = prepare(ql.from_pyscf(molecules.mean_field("water"), tolerance=1e-8))
    cut = ql.truncate(whole, rule)
    norb = cut.norb
    # the factors reproduce the integrals to their rounding, sums over `rank` products of Hartrees
    slack = rounding(whole)
    error = exact_error("water", cut)

    assert cut.rank < whole.rank
    assert cut.truncation.rank == cut.rank
    assert np.abs(error).max() <= cut.max_abs_error_bound + slack
    assert np.trace(error.reshape(norb**2, -1)) == pytest.approx(cut.residual_trace, abs=slack)
    assert np.linalg.eigvalsh(error.reshape(norb**2, -1))[0] >= -slack
    residual = residual_of(cut)
    assert residual.semidefinite
    np.testing.assert_allclose(residual.exchange, np.einsum("prrq->pq", error), atol=slack)


def test_each_rule_keeps_its_word():
    whole = ql.from_pyscf(molecules.mean_field("water"), tolerance=1e-8)
    assert ql.truncate(whole, ql.ErrorRule(1e-3)).max_abs_error_bound <= 1e-3
    assert ql.truncate(whole, ql.TraceRule(1e-3)).residual_trace <= 1e-3
    cut = ql.truncate(whole, ql.EnergyRule(1e-2))
    assert residual_of(cut).upper() <= 1e-2
    one_less = ql.truncate(whole, lambda spectrum: spectrum.cut(cut.rank - 1, tolerance=1.0))
    assert residual_of(one_less).upper() > 1e-2


def test_a_state_specific_certificate_needs_fewer_squares():
    """Asked for the ground state's interval, half the rank does that all states would need."""
    mean_field = molecules.mean_field("water")
    whole = ql.from_pyscf(mean_field, tolerance=1e-8)

    def width(hamiltonian):
        return ql.energy_interval(hamiltonian, ql.HartreeFock(), exact=mean_field).width

    general = ql.truncate(whole, ql.EnergyRule(5e-3))
    special = ql.truncate(whole, ql.EnergyRule(5e-3, certificate=width))
    assert special.rank < general.rank
    assert width(special) <= 5e-3


def test_energies_rise_with_the_rank():
    whole = ql.from_pyscf(molecules.mean_field("heh+"), tolerance=0.0)
    energies = [
        ql.fci_state(ql.truncate(whole, lambda s, r=r: s.cut(r, tolerance=1.0))).energy
        for r in range(whole.rank + 1)
    ]
    assert np.all(np.diff(energies) >= -rounding(whole))


@given(hamiltonians(), st.integers(0, 10))
def test_principal_factors_are_the_same_operator(arrays, rank):
    constant, one_body, two_body, nelec = arrays
    hamiltonian = ql.from_integrals(constant, one_body, two_body, nelec, tolerance=0)
    turned = ql.principal_factors(hamiltonian)
    gram = np.einsum("tpq,spq->ts", turned.factors, turned.factors)
    slack = 100 * (1 + hamiltonian.norb) * np.finfo(float).eps * (1 + np.abs(two_body).sum())

    np.testing.assert_allclose(turned.two_body(), hamiltonian.two_body(), atol=slack)
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=slack)
    assert np.all(np.diff(np.diag(gram)) <= slack)
    assert turned.truncation.discarded == hamiltonian.truncation.discarded
    kept = ql.truncate(turned, lambda s: s.cut(min(rank, len(s.weights)), tolerance=1.0))
    assert kept.rank == min(rank, turned.rank)


@given(hamiltonians(), st.integers(1, 10), st.booleans())
def test_leading_factors_and_what_they_leave_out(arrays, rank, sampled):
    """The residual is positive semidefinite, its trace and largest element are bounded."""
    constant, one_body, two_body, nelec = arrays
    hamiltonian = ql.from_integrals(constant, one_body, two_body, nelec, tolerance=0)
    method = RandomizedSVD(rank=rank, seed=3) if sampled else TruncatedSVD(rank=rank)
    if hamiltonian.rank == 0:
        return
    found = ql.principal_factors(hamiltonian, method=method)
    norb = hamiltonian.norb
    slack = 1e3 * (1 + norb) ** 2 * np.finfo(float).eps * (1 + np.abs(two_body).sum())
    error = (two_body - found.two_body()).reshape(norb**2, -1)
    assert found.rank <= rank
    assert np.linalg.eigvalsh(error)[0] >= -slack
    assert np.trace(error) <= found.residual_trace + slack
    assert np.abs(error).max() <= found.max_abs_error_bound + slack
    assert found.residual_trace <= np.trace(error) + 2 * slack
    values = np.linalg.eigvalsh(two_body.reshape(norb**2, -1))[::-1]
    if not sampled:  # Eckart and Young: nothing of this rank has a smaller trace
        assert np.trace(error) <= np.abs(values[rank:]).sum() + slack


def test_recompression_needs_no_more_than_a_fresh_decomposition():
    mean_field = molecules.mean_field("water-631g")
    fresh = ql.from_pyscf(mean_field, tolerance=1e-3)
    again = ql.recompress(ql.from_pyscf(mean_field, tolerance=1e-8), tolerance=1e-3)
    error = exact_error("water-631g", again)

    assert abs(again.rank - fresh.rank) <= 3  # other pivots, same spectrum
    assert np.abs(error).max() <= again.max_abs_error_bound <= 1.001e-3
    assert np.trace(error.reshape(169, 169)) == pytest.approx(again.residual_trace, abs=1e-10)
    assert residual_of(again).semidefinite


def test_cut_leaves_stay_two_sided():
    """Rebuilt from leaves, h belongs to the squares, and it goes on to."""
    whole = ql.from_pyscf(molecules.mean_field("water"), tolerance=1e-4)
    rebuilt = ql.double_factorize(whole, tolerance=1e-4).to_hamiltonian()
    cut = ql.truncate(rebuilt, ql.TraceRule(rebuilt.residual_trace + 1e-2))
    error = exact_error("water", cut).reshape(49, 49)

    assert not residual_of(cut).semidefinite
    assert np.linalg.norm(error, "nuc") <= cut.residual_trace + 49 * rounding(whole)
    np.testing.assert_allclose(cut.one_body, cut.normal_ordered_one_body(), atol=rounding(whole))


def test_bad_input():
    hamiltonian = ql.from_example("h2", tolerance=1e-3)
    with pytest.raises(ql.InputError, match="rule must be a rank rule"):
        ql.truncate(hamiltonian, 1e-3)
    with pytest.raises(ql.InputError, match="rule must be a rank rule"):
        ql.truncate(hamiltonian, ql.ErrorRule)
    with pytest.raises(ql.InputError, match="terms leave an error of"):
        ql.truncate(hamiltonian, ql.ErrorRule(0.0))
    with pytest.raises(ql.InputError, match="target must be above 0"):
        ql.EnergyRule(0.0)
    with pytest.raises(ql.InputError, match="tolerance must be at least 0"):
        ql.recompress(hamiltonian, tolerance=-1.0)
    with pytest.raises(ql.InputError, match="A gap needs weights by falling size"):
        ql.truncate(ql.from_example("water", tolerance=1e-3), ql.GapRule())

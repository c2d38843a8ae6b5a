# SPDX-License-Identifier: Apache-2.0
"""Factors from auxiliary bases: PySCF's own fit, a positive residual, and honest bounds."""

import numpy as np
import pytest
from pyscf import df, lib, mcscf

import qlowrank as ql
from qlowrank.hamiltonian.residual import residual_of
from qlowrank.integrals import density_fitting
from tests import molecules

ROUNDING = 1e-9
"""Hartree: libcint's integrals to 1e-13, times the root of the metric's condition (below 1e8)."""


def exact_error(name, hamiltonian):
    """R of a molecule, from integrals that were transformed by einsum."""
    return molecules.integrals(name)[2] - hamiltonian.two_body()


@pytest.mark.parametrize("auxiliary", [None, "cc-pvdz-ri", "cc-pvdz-jkfit"])
@pytest.mark.parametrize("name", ["water-631g", "o2", "cn"])
def test_the_residual_is_positive_and_its_bounds_hold(name, auxiliary):
    hamiltonian = ql.from_pyscf_ri(molecules.mean_field(name), auxiliary=auxiliary)
    error = exact_error(name, hamiltonian)
    matrix = error.reshape(hamiltonian.norb**2, -1)

    assert np.linalg.eigvalsh(matrix)[0] >= -ROUNDING
    assert np.trace(matrix) == pytest.approx(hamiltonian.residual_trace, abs=ROUNDING)
    assert 1e-5 < np.abs(error).max() <= hamiltonian.max_abs_error_bound + ROUNDING
    np.testing.assert_allclose(
        residual_of(hamiltonian).exchange, np.einsum("prrq->pq", error), atol=ROUNDING
    )
    assert "fitted (RI) in" in hamiltonian.source.origin


def test_it_is_the_fit_of_pyscf():
    """The same projection as PySCF's own factors, which may be rotated among themselves."""
    mean_field = molecules.mean_field("water-631g")
    fit = df.DF(mean_field.mol, "cc-pvdz-jkfit").build()
    atomic = np.concatenate([lib.unpack_tril(np.array(part)) for part in fit.loop()])
    factors = mean_field.mo_coeff.T @ atomic @ mean_field.mo_coeff
    expected = np.einsum("tpq,trs->pqrs", factors, factors)
    hamiltonian = ql.from_pyscf_ri(mean_field, auxiliary="cc-pvdz-jkfit")

    np.testing.assert_allclose(hamiltonian.two_body(), expected, atol=ROUNDING)


@pytest.mark.parametrize("name", ["water", "o2", "h3"])
def test_the_interval_holds_the_exact_energy(name):
    mean_field = molecules.mean_field(name)
    hamiltonian = ql.from_pyscf_ri(mean_field)
    target = molecules.fci_spectrum(*molecules.integrals(name))[0]
    for exact in (None, mean_field):
        assert target in ql.energy_interval(hamiltonian, ql.FCI(), exact=exact)


def test_active_spaces():
    mean_field = molecules.mean_field("water-631g")
    cas = mcscf.CASCI(mean_field, 6, 6)
    cas.verbose = 0
    cas.fcisolver.conv_tol = 1e-13
    cas.kernel()
    for hamiltonian in (
        ql.from_pyscf_ri(cas),
        ql.from_pyscf_ri(mean_field, active=(6, 6), name="part"),
    ):
        exact = ql.from_pyscf(cas, tolerance=0)
        np.testing.assert_allclose(hamiltonian.one_body, exact.one_body, atol=ROUNDING)
        np.testing.assert_allclose(hamiltonian.kappa, exact.kappa, atol=ROUNDING)
        assert hamiltonian.constant == pytest.approx(exact.constant, abs=ROUNDING)
        assert cas.e_tot in ql.energy_interval(hamiltonian, ql.FCI())
    assert hamiltonian.source.name == "part"


def test_recompression_keeps_the_certificate():
    mean_field = molecules.mean_field("water-631g")
    fitted = ql.from_pyscf_ri(mean_field, auxiliary="cc-pvtz-jkfit")
    fewer = ql.recompress(fitted, tolerance=1e-4)
    error = exact_error("water-631g", fewer)
    matrix = error.reshape(fewer.norb**2, -1)

    assert fewer.rank < 0.75 * fitted.rank
    assert np.linalg.eigvalsh(matrix)[0] >= -ROUNDING
    assert np.trace(matrix) == pytest.approx(fewer.residual_trace, abs=ROUNDING)
    assert mean_field.e_tot in ql.energy_interval(fewer, ql.HartreeFock())


def test_dependent_auxiliary_functions_are_dropped():
    """Every function twice: the metric is singular, the space is the same."""
    mean_field = molecules.mean_field("water")
    once = df.addons.make_auxmol(mean_field.mol, "cc-pvdz-ri")._basis
    twice = {element: [*shells, *shells] for element, shells in once.items()}
    single = ql.from_pyscf_ri(mean_field, auxiliary=once)
    double = ql.from_pyscf_ri(mean_field, auxiliary=twice)

    assert double.rank <= single.rank
    np.testing.assert_allclose(double.two_body(), single.two_body(), atol=1e-7)
    matrix = exact_error("water", double).reshape(49, 49)
    assert np.linalg.eigvalsh(matrix)[0] >= -1e-8  # the kept metric is worse conditioned


def test_blocks_change_nothing(monkeypatch):
    mean_field = molecules.mean_field("water")
    whole = ql.from_pyscf_ri(mean_field)
    monkeypatch.setattr(density_fitting, "BLOCK", 1.0)
    seen = []
    blocks = ql.from_pyscf_ri(mean_field, progress=lambda *step: seen.append(step))

    np.testing.assert_allclose(blocks.factors, whole.factors, atol=1e-12)
    assert len(seen) > 3
    assert seen[-1] == ("auxiliary functions", blocks.rank, blocks.rank)


def test_measured_errors():
    """Drawn columns are at most the largest error, and all of them find it."""
    mean_field = molecules.mean_field("water")
    hamiltonian = ql.from_pyscf_ri(mean_field)
    largest = np.abs(exact_error("water", hamiltonian)).max()
    few = ql.sampled_error(hamiltonian, mean_field, columns=2, seed=1)

    assert few <= largest + ROUNDING
    assert few == ql.sampled_error(hamiltonian, mean_field, columns=2, seed=1)
    many = ql.sampled_error(hamiltonian, mean_field, columns=2000)
    assert many == pytest.approx(largest, abs=ROUNDING)


def test_the_archive_keeps_and_verifies_it(tmp_path):
    hamiltonian = ql.from_pyscf_ri(molecules.mean_field("water"))
    ql.save(tmp_path / "ri.h5", hamiltonian, ql.double_factorize(hamiltonian))
    back = ql.load(tmp_path / "ri.h5").hamiltonian

    assert back.source == hamiltonian.source
    np.testing.assert_array_equal(back.factors, hamiltonian.factors)
    assert ql.verify(tmp_path / "ri.h5").passed


def test_bad_input():
    mean_field = molecules.mean_field("water")
    fitted = mean_field.density_fit()
    fitted.kernel()
    hamiltonian = ql.from_pyscf_ri(mean_field)
    for call, message in (
        (lambda: ql.from_pyscf_ri(mean_field, auxiliary="nonsense"), "has no auxiliary basis"),
        (lambda: ql.from_pyscf_ri(fitted), "fits its integrals"),
        (lambda: ql.from_pyscf_ri("water"), "Expected a converged PySCF"),
        (lambda: ql.from_pyscf_ri(mean_field, max_memory=1e4), "auxiliary functions needs"),
        (lambda: ql.sampled_error(hamiltonian, mean_field, columns=0), "columns must be at least"),
    ):
        with pytest.raises(ql.InputError, match=message):
            call()

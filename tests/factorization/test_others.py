# SPDX-License-Identifier: Apache-2.0
"""Against other packages' double factorizations, and one-norms that were published."""

import numpy as np
import pytest

from qlowrank.factorization import CholeskyGauge, EigenGauge, double_factorize
from qlowrank.hamiltonian import from_example, from_pyscf
from tests.molecules import integrals, mean_field


def rebuilt(cores, leaves):
    """The convention of ffsim is ours: Σ_t Z_tkl U_tpk U_tqk U_trl U_tsl."""
    return np.einsum(
        "tkl,tpk,tqk,trl,tsl->pqrs", cores, leaves, leaves, leaves, leaves, optimize=True
    )


@pytest.mark.parametrize("name", ["h2-631g", "beh", "water", "o2"])
@pytest.mark.parametrize("cholesky", [True, False])
def test_ffsim_rebuilds_the_same_tensor(name, cholesky):
    """Theirs, ours, and PySCF's integrals; ours is fed to ffsim's own Hamiltonian record."""
    import ffsim

    constant, one_body, two_body, _ = integrals(name)
    gauge = CholeskyGauge() if cholesky else EigenGauge()
    ours = double_factorize(from_pyscf(mean_field(name), tolerance=0.0), gauge=gauge)
    cores, leaves = ffsim.linalg.double_factorized(two_body, tol=1e-10, cholesky=cholesky)
    np.testing.assert_allclose(rebuilt(cores, leaves), two_body, rtol=0, atol=1e-9)
    np.testing.assert_allclose(rebuilt(ours.cores, ours.leaves), two_body, rtol=0, atol=1e-9)
    record = ffsim.DoubleFactorizedHamiltonian(
        one_body_tensor=ours.one_body,
        diag_coulomb_mats=ours.cores,
        orbital_rotations=ours.leaves,
        constant=ours.constant,
    )
    back = record.to_molecular_hamiltonian()
    np.testing.assert_allclose(back.two_body_tensor, two_body, rtol=0, atol=1e-9)
    np.testing.assert_allclose(back.one_body_tensor, one_body, rtol=0, atol=1e-9)
    assert back.constant == constant


def test_ffsim_finds_the_same_eigen_leaves():
    """Water: no eigenvalue of (pq|rs) is degenerate, so the leaves are unique but for signs.

    Leaves move by the rounding of the tensor (1e-14) over the gap between their outer eigenvalues,
    which is at least 1e-6 here, and are compared to 1e-7.
    """
    import ffsim

    two_body = integrals("water")[2]
    hamiltonian = from_pyscf(mean_field("water"), tolerance=0.0)
    ours = double_factorize(hamiltonian, gauge=EigenGauge())
    cores, _ = ffsim.linalg.double_factorized(two_body, tol=1e-12, cholesky=False)
    assert len(cores) == ours.n_leaves == 28
    ours_sorted, theirs_sorted = (
        sorted((np.sort(np.sqrt(np.einsum("kk->k", core))) for core in stack), key=np.linalg.norm)
        for stack in (ours.cores, cores)
    )
    np.testing.assert_allclose(ours_sorted, theirs_sorted, rtol=0, atol=1e-7)


def test_openfermion_finds_the_same_one_norm():
    """Untruncated, on water; all that it returns but the factors is left alone.

    (Its rank is the last value of a loop variable: one too few when nothing is cut.)
    """
    from openfermion.resource_estimates import df
    from openfermion.resource_estimates.molecule import pyscf_to_cas

    mf = mean_field("water")
    two_body = pyscf_to_cas(mf)[1]
    _, factors, rank, _ = df.factorize(two_body, thresh=0.0)
    ours = double_factorize(from_pyscf(mf, tolerance=0.0), gauge=EigenGauge())
    assert rank == factors.shape[2] - 1
    assert ours.one_norm() == pytest.approx(df.compute_lambda(mf, factors), abs=1e-5)


@pytest.fixture(scope="module")
def femoco():
    """54 orbitals, to 1e-6 Hartree; leaves from eigenvectors, largest first."""
    return double_factorize(from_example("femoco", tolerance=1e-6), gauge=EigenGauge())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("threshold", "rank", "published"),
    [(0.05, 95, 262.1), (0.0125, 182, 280.8), (0.005, 242, 289.5), (0.00125, 360, 294.8)],
)
def test_published_one_norms_of_femoco(femoco, threshold, rank, published):
    """One-norms of J. Lee et al., PRX Quantum 2, 030305 (2021): 294.8 at L = 360, and its table.

    Their rule keeps ε where |ε| Σ|ε| exceeds a threshold, up to the first leaf that keeps none,
    and their one-body part is of the exact integrals. Printed to one decimal.
    """
    magnitudes = np.abs(femoco.eigenvalues)
    magnitudes = magnitudes[np.argsort(-np.sum(magnitudes**2, axis=1), kind="stable")]
    kept = magnitudes * magnitudes.sum(axis=1, keepdims=True) > threshold
    first_empty = int(np.argmin(kept.any(axis=1)))
    squares = np.sum(np.where(kept, magnitudes, 0.0)[:first_empty].sum(axis=1) ** 2) / 4
    one_body = femoco.one_norm() - np.sum(magnitudes.sum(axis=1) ** 2) / 4
    assert first_empty == rank
    assert squares + one_body == pytest.approx(published, abs=0.051)


@pytest.mark.slow
def test_cholesky_leaves_of_femoco():
    """Leaves of Cholesky vectors have a one-norm about 37 % below the published 294.8."""
    hamiltonian = from_example("femoco", tolerance=1e-4)
    assert hamiltonian.norb == 54
    assert hamiltonian.rank == pytest.approx(424, rel=0.03)
    assert double_factorize(hamiltonian).one_norm() == pytest.approx(187.2, abs=0.5)
    eigen = double_factorize(hamiltonian, gauge=EigenGauge())
    assert eigen.one_norm() == pytest.approx(294.8, rel=0.01)

# SPDX-License-Identifier: Apache-2.0
"""Factors straight from shells, against the four-index tensor that they never form."""

import tempfile
from dataclasses import replace

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.files.scratch import scratch_array
from qlowrank.integrals.direct import budget, stack
from qlowrank.integrals.direct import elimination as elimination_module
from qlowrank.integrals.direct import read as module
from qlowrank.integrals.direct.budget import least_bytes
from qlowrank.integrals.direct.read import read_directly
from qlowrank.integrals.direct.shells import shells_of
from qlowrank.integrals.mean_field import read_pyscf
from qlowrank.lowrank import passes
from qlowrank.parallel import threads
from tests.molecules import converged, mean_field, molecule

TINY = 1e-9
"""Hartree; PySCF's screened direct builds and our sums round by less for these molecules."""


def exact_and_squares(source, tolerance, **options):
    """Dense (pq|rs) over pairs, and the decomposition without it."""
    dense = read_pyscf(source, **options)
    packed = dense.pairs.columns(np.arange(len(dense.pairs.diagonal())))
    return dense, packed, read_directly(source, tolerance=tolerance, **options)


def assert_proven(source, tolerance, **options):
    """Every promise of the record, element by element."""
    dense, packed, squares = exact_and_squares(source, tolerance, **options)
    rows, cols = np.tril_indices(dense.norb)
    vectors = squares.factors[:, rows, cols]
    residual = packed - vectors.T @ vectors
    cut = squares.truncation
    assert cut.rank == len(squares.factors)
    assert cut.tolerance == tolerance
    assert np.abs(residual).max() <= cut.max_error + TINY * 1e-2
    assert cut.max_error <= tolerance
    assert np.linalg.eigvalsh(residual)[0] >= -TINY
    twice = np.where(rows == cols, 1, 2)
    assert abs(np.diagonal(residual) @ twice - cut.discarded) <= TINY
    np.testing.assert_allclose(squares.one_body, dense.one_body, rtol=0, atol=TINY)
    kappa = dense.one_body - dense.pairs.exchange_of_identity() / 2
    np.testing.assert_allclose(squares.kappa, kappa, rtol=0, atol=TINY)
    assert squares.nelec == dense.nelec
    assert abs(squares.constants.total - dense.constants.total) <= TINY
    assert squares.source.molecule == dense.source.molecule
    assert squares.source.references == dense.source.references
    return squares


@pytest.mark.parametrize("name", ["h", "h2", "h3", "heh", "heh+", "lih", "water-631g", "o2", "cn"])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-7])
def test_closed_and_open_shells(name, tolerance):
    assert_proven(mean_field(name), tolerance)


@pytest.mark.parametrize(
    ("name", "active"),
    [("water-631g", (6, 6)), ("water", (4, 4)), ("o2", (8, 6)), ("cn", (5, 5)), ("lih", (2, 1))],
)
def test_active_spaces(name, active):
    assert_proven(mean_field(name), 1e-6, active=active)


def test_a_solved_active_space():
    from pyscf import mcscf

    cas = mcscf.CASCI(mean_field("o2"), 6, (5, 3)).run()
    assert_proven(cas, 1e-5)
    cas = mcscf.CASSCF(mean_field("n2"), 6, 6).run()
    assert_proven(cas, 1e-5)


@pytest.mark.parametrize("cart", [False, True])
def test_d_and_f_shells(cart):
    from pyscf import scf

    basis = {"H": "sto-3g", "N": "cc-pvtz"}
    assert_proven(converged(scf.RHF(molecule("n2", basis="cc-pvdz", cart=cart))), 1e-6)
    mol = molecule("h", atom="N 0 0 0; H 0 0 1.0", basis=basis, spin=2, cart=cart)
    assert_proven(converged(scf.ROHF(mol)), 1e-4, active=(4, 6))


def test_effective_core_potentials():
    from pyscf import gto, scf

    mol = gto.M(
        atom="I 0 0 0; H 0 0 1.61",
        basis={"I": "lanl2dz", "H": "sto-3g"},
        ecp={"I": "lanl2dz"},
        verbose=0,
    )
    assert_proven(converged(scf.RHF(mol)), 1e-6)


@pytest.mark.filterwarnings("ignore:An ill-conditioned matrix")  # PySCF's own convergence
def test_linearly_dependent_functions():
    """Six s functions that differ little: PySCF leaves orbitals out, and so do the pivots."""
    from pyscf import gto, scf

    basis = [[0, (a, 1.0)] for a in (1.0, 1.0001, 1.0002, 0.3, 0.30001, 0.1)]
    mol = gto.M(atom="H 0 0 0; H 0 0 0.7", basis={"H": basis}, verbose=0)
    mf = converged(scf.RHF(mol))
    assert mf.mo_coeff.shape[1] < mol.nao
    assert_proven(mf, 1e-4)


def test_integrals_that_pyscf_did_not_keep():
    from pyscf import scf

    mf = scf.RHF(molecule("water"))
    mf.max_memory = 0
    mf = converged(mf)
    assert_proven(mf, 1e-6)
    assert mf._eri is None


@pytest.mark.parametrize(("name", "saved"), [("water-631g", 0), ("o2", 1)])
def test_any_division_into_large_and_small_vectors_is_proven(monkeypatch, name, saved):
    """None, some or all vectors stay as they are; new pivots make the others fewer."""
    ranks = []
    for least in (np.inf, 1e3, 0.0):
        monkeypatch.setattr(module, "LARGE", least)
        ranks.append(assert_proven(mean_field(name), 1e-6).truncation.rank)
    assert ranks[0] + saved <= ranks[2]
    assert ranks[1] <= ranks[2]


def test_large_vectors_come_first_and_as_they_are(monkeypatch):
    """However often the threshold is lowered afterwards."""
    monkeypatch.setattr(module, "LARGE", 1e2)
    monkeypatch.setattr(module, "FIRST", 4.0)
    monkeypatch.setattr(elimination_module, "MOST", 13)  # several batches, each with small ones
    found, taken = [], []
    lower, take = module.Elimination.lower, module.Transformed.take

    def kept(self, threshold):
        lower(self, threshold)
        found.append(self)

    def noted(self, vectors, sizes):
        taken.append(sizes)
        take(self, vectors, sizes)

    monkeypatch.setattr(module.Elimination, "lower", kept)
    monkeypatch.setattr(module.Transformed, "take", noted)
    mf = mean_field("water-631g")
    squares = assert_proven(mf, 1e-4)
    elimination, found_sizes = found[-1], np.concatenate(taken)
    assert len(found) > 1
    assert len(taken) > 2
    low, high = np.tril_indices(mf.mol.nao)
    vectors = np.zeros((len(elimination.vectors), len(low)))
    vectors[:, elimination.rows] = np.concatenate(elimination.vectors.blocks)
    weights = np.linalg.norm(mf.mo_coeff, axis=1)
    pivots = elimination.rows[elimination.pivots]
    own = vectors[np.arange(len(pivots)), pivots]
    sizes = (own * weights[low[pivots]] * weights[high[pivots]]) ** 2
    np.testing.assert_allclose(found_sizes, sizes, rtol=1e-12)
    large = np.flatnonzero(found_sizes >= 1e2 * 1e-4)
    assert 0 < len(large) < len(squares.factors)
    assert large[-1] >= len(large)  # they are not the first that were found
    for factor, vector in zip(squares.factors, vectors[large], strict=False):
        square = np.zeros((mf.mol.nao, mf.mol.nao))
        square[low, high] = square[high, low] = vector
        expected = mf.mo_coeff.T @ square @ mf.mo_coeff
        np.testing.assert_allclose(factor, expected, rtol=0, atol=1e-12)


def test_small_active_spaces_take_no_more_factors_than_pairs():
    """Pivots in atomic orbitals are ten times as many as 21 pairs."""
    squares = read_directly(mean_field("water-631g"), tolerance=1e-6, active=(6, 6))
    assert len(squares.factors) <= 6 * 7 / 2


def test_a_threshold_that_is_not_enough_is_lowered(monkeypatch):
    calls = []
    lower = module.Elimination.lower

    def counted(self, threshold):
        calls.append(threshold)
        lower(self, threshold)

    monkeypatch.setattr(module.Elimination, "lower", counted)
    monkeypatch.setattr(module, "FIRST", 50.0)
    assert_proven(mean_field("water-631g"), 1e-4)
    assert len(calls) > 1
    assert calls == sorted(calls, reverse=True)


def test_zero_tolerance_goes_as_far_as_rounding_allows():
    _, packed, squares = exact_and_squares(mean_field("water"), 0.0)
    rows, cols = np.tril_indices(7)
    vectors = squares.factors[:, rows, cols]
    assert np.abs(packed - vectors.T @ vectors).max() <= squares.truncation.max_error < 1e-10


@pytest.mark.parametrize("tolerance", [1e-8, 0.0])
def test_what_rounding_allows_is_reached(tolerance):
    """The worst case of rounding would forbid 1e-8 here."""
    from pyscf import gto, scf

    mol = gto.M(atom="N 0 0 0; N 0 0 1.1", basis="cc-pvtz", verbose=0)
    _, packed, squares = exact_and_squares(scf.RHF(mol).run(conv_tol=1e-10), tolerance)
    rows, cols = np.tril_indices(60)
    vectors = squares.factors[:, rows, cols]
    error = np.abs(packed - vectors.T @ vectors).max()
    assert error <= squares.truncation.max_error + TINY * 1e-2
    assert squares.truncation.max_error <= 1e-8
    assert squares.truncation.tolerance == tolerance


@pytest.fixture(scope="module")
def nearly_dependent():
    """Water in a basis with diffuse functions; 92 atomic orbitals, coefficients up to 30."""
    from pyscf import gto, scf

    shape = "O 0 0 0; H 0 0.8 0.6; H 0 -0.8 0.6"
    return scf.RHF(gto.M(atom=shape, basis="aug-cc-pvtz", verbose=0)).run(conv_tol=1e-10)


@pytest.mark.parametrize("pivot", [1 / 20, 1e9])
def test_what_is_left_is_not_worth_its_columns(monkeypatch, nearly_dependent, pivot):
    """Shell by shell pair; where columns cost nothing, no residual stays above the threshold."""
    monkeypatch.setattr(elimination_module, "PIVOT", pivot)
    found = []
    lower = module.Elimination.lower

    def kept(self, threshold):
        lower(self, threshold)
        found.append((self, threshold))

    monkeypatch.setattr(module.Elimination, "lower", kept)
    read_directly(nearly_dependent, tolerance=1e-4)
    elimination, threshold = found[-1]
    shells = elimination.shells
    low, high = np.tril_indices(shells.nao)
    weights = np.linalg.norm(nearly_dependent.mo_coeff, axis=1)
    vectors = np.concatenate(elimination.vectors.blocks)
    rows = elimination.rows
    left = shells.diagonal[rows] - np.sum(vectors**2, axis=0)
    residual = left * (weights[low] * weights[high])[rows] ** 2
    above = np.where(residual > threshold * (1 + 1e-6), residual, 0.0)
    owner = shells.owner[rows]
    sums = np.bincount(owner, above, len(shells.pairs))
    count = np.bincount(owner[above > 0], minlength=len(sums))
    cost = count + shells.effort / (pivot * shells.nao)
    assert np.all(sums <= threshold * cost * (1 + 1e-6))
    assert (count.sum() == 0) == (pivot == 1e9)


@pytest.mark.parametrize("large", [module.LARGE, np.inf])
@pytest.mark.parametrize("down", [1 / 4, 1e-4])
def test_zero_tolerance_ends_where_rounding_spoils_more_than_is_gained(
    monkeypatch, nearly_dependent, down, large
):
    """Far below the threshold that rounding allows, vectors are noise; they are left out.

    However they are divided: with so low a threshold, nearly all are large, or none.
    """
    monkeypatch.setattr(module, "LARGE", large)
    monkeypatch.setattr(module, "DOWN", down)
    monkeypatch.setattr(module, "LEAST", down)
    monkeypatch.setattr(module._Basis, "floor", property(lambda self: 1e-6 * self.safe))
    squares = read_directly(nearly_dependent, tolerance=0.0)
    rows, cols = np.tril_indices(len(squares.one_body))
    vectors = squares.factors[:, rows, cols]
    some = np.arange(0, len(rows), 97)
    packed = read_pyscf(nearly_dependent).pairs.columns(some)
    error = np.abs(packed - vectors[:, some].T @ vectors).max()
    assert error <= squares.truncation.max_error + TINY * 1e-2
    assert squares.truncation.max_error < 5e-6
    assert squares.truncation.tolerance == 0.0


def test_a_tolerance_below_the_noise_is_refused(monkeypatch, nearly_dependent):
    monkeypatch.setattr(module._Basis, "floor", property(lambda self: 1e-6 * self.safe))
    with pytest.raises(ql.InputError, match="or for 0 to go as far"):
        read_directly(nearly_dependent, tolerance=2e-10)


def test_what_cannot_be_reached_is_said():
    with pytest.raises(ql.InputError, match=r"1.0e-16 is below what .* resolve .* at least that"):
        read_directly(mean_field("water"), tolerance=1e-16)


def test_edited_integrals_are_refused():
    """The mean field keeps integrals that are not those of its shells."""
    mf = mean_field("water").copy()
    mf._eri = mean_field("water")._eri * 1.001
    mf.e_tot = mf.energy_tot(mf.make_rdm1())
    with pytest.raises(ql.InputError, match="energy rebuilt"):
        read_directly(mf, tolerance=1e-6)


def test_progress_is_reported():
    seen = []
    read_directly(
        mean_field("water"),
        tolerance=1e-4,
        progress=lambda task, done, _: seen.append((task, done)),
    )
    tasks = list(dict(seen))
    assert tasks == ["Columns of integrals", "Cholesky vectors"]


def test_large_molecules_take_the_direct_route(monkeypatch):
    """The same contract from either door; a model without shells has one door only."""
    from qlowrank.hamiltonian import read as wiring

    dense = ql.from_pyscf(mean_field("water-631g"), tolerance=1e-5, name="mine")
    monkeypatch.setattr(module, "DIRECT_FROM", 2)
    monkeypatch.setattr(wiring, "read_pyscf", None)
    direct = ql.from_pyscf(mean_field("water-631g"), tolerance=1e-5, name="mine")
    assert direct.source.name == dense.source.name == "mine"
    assert abs(direct.rank - dense.rank) <= 0.1 * dense.rank
    error = np.abs(direct.two_body() - dense.two_body()).max()
    assert error <= direct.max_abs_error_bound + dense.max_abs_error_bound
    np.testing.assert_allclose(direct.kappa, dense.kappa, rtol=0, atol=TINY)


def test_arrays_in_files_are_the_same(tmp_path, monkeypatch):
    """The same factors to the last bit, and nothing left on the disk."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mf = mean_field("water-631g")
    plenty = read_directly(mf, tolerance=1e-6)
    monkeypatch.setattr(budget, "array_for", lambda shape, *_: scratch_array(shape))
    few = read_directly(mf, tolerance=1e-6)
    assert not isinstance(plenty.factors.base, np.memmap)
    assert isinstance(few.factors.base, np.memmap)
    assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(few.factors, plenty.factors)


def test_threads_share_wide_columns_of_files(tmp_path, monkeypatch):
    """Cut otherwise than in memory, sums differ in their last bits, and the bound holds."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for room in (stack, passes):
        monkeypatch.setattr(room, "COLUMNS", 20)
    mf = mean_field("water-631g")
    plenty = read_directly(mf, tolerance=1e-6)
    monkeypatch.setattr(budget, "array_for", lambda shape, *_: scratch_array(shape))
    with threads(3):
        few = read_directly(mf, tolerance=1e-6)
    several = [np.einsum("tpq,trs->pqrs", s.factors, s.factors) for s in (few, plenty)]
    error = few.truncation.max_error + plenty.truncation.max_error
    assert np.abs(several[0] - several[1]).max() <= error <= 2e-6


def test_the_least_memory_is_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mf = mean_field("water-631g")
    least = least_bytes(shells_of(mf.mol))
    plenty, few = (read_directly(mf, tolerance=1e-6, max_memory=m) for m in (None, least))
    assert abs(len(few.factors) - len(plenty.factors)) <= 0.1 * len(plenty.factors)
    several = [np.einsum("tpq,trs->pqrs", s.factors, s.factors) for s in (few, plenty)]
    error = few.truncation.max_error + plenty.truncation.max_error
    assert np.abs(several[0] - several[1]).max() <= error <= 2e-6
    direct = read_directly(mf, tolerance=1e-6, max_memory=least, active=(4, 4))
    assert direct.factors.shape[1:] == (4, 4)
    assert not list(tmp_path.iterdir())
    with pytest.raises(
        ql.InputError, match=r"One shell pair's integrals .* needs .*kB .* at least"
    ):
        read_directly(mf, tolerance=1e-6, max_memory=0.9 * least)


def test_few_mapped_factors_are_looked_at_together(tmp_path, monkeypatch):
    """A limit of memory says how many."""
    read, rows = [], passes.Passes.rows

    def noted(self, vectors):
        parts = rows(self, vectors)
        read.extend(part.stop - part.start for part in parts)
        return parts

    hamiltonian = ql.from_pyscf(mean_field("water-631g"), tolerance=1e-6)
    mapped = scratch_array(hamiltonian.factors.shape, tmp_path)
    mapped[...] = hamiltonian.factors
    monkeypatch.setattr(passes.Passes, "rows", noted)
    room = 4 * 20 * mapped[0].nbytes
    ql.double_factorize(replace(hamiltonian, factors=mapped), max_memory=room)
    assert 16 < max(read) <= 20


def test_leaves_of_mapped_factors(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    hamiltonian = ql.from_pyscf(mean_field("water-631g"), tolerance=1e-6)
    here = ql.double_factorize(hamiltonian)
    there = ql.double_factorize(hamiltonian, max_memory=1.0)
    assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(there.leaves, here.leaves)
    np.testing.assert_array_equal(there.eigenvalues, here.eigenvalues)

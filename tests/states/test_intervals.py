# SPDX-License-Identifier: Apache-2.0
"""Energy intervals against exact diagonalisation, for every solver and every end."""

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from pyscf import mcscf

import qlowrank as ql
from qlowrank.hamiltonian.exact import exact_integrals
from qlowrank.hamiltonian.residual import residual_of
from qlowrank.integrals.mean_field import read_pyscf
from qlowrank.states.intervals.interval import mean_field_corrected
from tests import molecules

CASES = Path(__file__).parents[2] / "examples" / "benchmarks" / "certificates.py"
ROUGH = 3e-3


def benchmark():
    """The script that draws random molecules."""
    spec = importlib.util.spec_from_file_location("certificates", CASES)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class OneDensity:
    """A state that only has a one-particle density, as a caller's own solver may return."""

    energy: float
    density: np.ndarray
    nelec: tuple[int, int]
    label: str = "own"

    def one_body_density(self):
        return self.density


def determinant_energy(name, state):
    """Energy of a determinant with the exact integrals, by plain einsum."""
    constant, one_body, two_body, _ = molecules.integrals(name)
    alpha, beta = state.spin_densities()
    total = alpha + beta
    energy = constant + np.sum(one_body * total)
    energy += np.einsum("pqrs,pq,rs->", two_body, total, total) / 2
    return energy - sum(np.einsum("pqrs,ps,rq->", two_body, d, d) for d in (alpha, beta)) / 2


def test_a_sample_of_random_molecules():
    """The ends enclose the exact energy, and their own rounding is all that is added to them."""
    script = benchmark()
    for molecule in script.molecules(2, seed=5):
        for case in script.cases(molecule):
            assert not case.missed, case


@pytest.mark.slow
def test_two_hundred_random_truncations():
    """25 molecules, 8 tolerances, with and without the exact integrals: none is missed."""
    script = benchmark()
    done = [case for m in script.molecules(25, seed=1) for case in script.cases(m)]

    assert len(done) == 400
    assert not [case for case in done if case.missed]


@pytest.mark.parametrize("name", ["water", "o2", "beh", "h3", "heh+"])
@pytest.mark.parametrize("exact", [False, True])
def test_full_ci(name, exact):
    mean_field = molecules.mean_field(name)
    hamiltonian = ql.from_pyscf(mean_field, tolerance=ROUGH)
    target = molecules.fci_spectrum(*molecules.integrals(name))[0]
    interval = ql.energy_interval(hamiltonian, ql.FCI(), exact=mean_field if exact else None)

    assert target in interval
    assert interval.width > 1e-5  # something was cut
    assert interval.method == "fci"
    assert interval.contains == "the exact ground-state energy of the sector"
    ends = [end.energy for end in interval.upper_ends]
    assert ends == sorted(ends)
    assert interval.upper == ends[0] + interval.rounding
    assert interval.lower == interval.lower_ends[0].energy - interval.rounding


@pytest.mark.parametrize("name", ["water", "o2", "beh"])
def test_exact_integrals_price_any_state(name):
    """The upper end is the expectation value of the exact Hamiltonian, and variational."""
    mean_field = molecules.mean_field(name)
    constant, one_body, two_body, nelec = molecules.integrals(name)
    hamiltonian = ql.from_pyscf(mean_field, tolerance=ROUGH)
    state = ql.fci_state(hamiltonian)
    interval = ql.energy_interval(hamiltonian, state, exact=mean_field)
    from pyscf.fci import direct_spin1

    norb = len(one_body)
    exact = direct_spin1.energy(one_body, two_body, np.array(state.vector), norb, nelec) + constant
    # PySCF orders degenerate orbitals its own way; energies agree to rounding of 1e-10
    assert interval.upper - interval.rounding == pytest.approx(exact, abs=1e-9)
    assert interval.estimate == pytest.approx(exact, abs=1e-9)
    assert interval.lower == state.energy - interval.rounding


@pytest.mark.parametrize("name", ["water", "o2", "beh"])
@pytest.mark.parametrize("exact", [False, True])
def test_hartree_fock(name, exact):
    """The interval holds the mean field's own energy, whichever determinant was found below it."""
    mean_field = molecules.mean_field(name)
    hamiltonian = ql.from_pyscf(mean_field, tolerance=ROUGH)
    interval = ql.energy_interval(
        hamiltonian, ql.HartreeFock(), exact=mean_field if exact else None
    )

    assert mean_field.e_tot in interval
    assert interval.contains == "the lowest energy of a determinant"


def test_a_determinant_is_priced_by_one_exchange_build():
    mean_field = molecules.mean_field("o2")
    hamiltonian = ql.from_pyscf(mean_field, tolerance=ROUGH)
    state = ql.hartree_fock_state(hamiltonian)
    interval = ql.energy_interval(hamiltonian, state, exact=mean_field)

    expected = determinant_energy("o2", state)
    assert interval.estimate == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("exact", [False, True])
def test_cisd_on_the_same_determinant(exact):
    """Both ends hold for the CISD that PySCF makes of the exact integrals on that determinant."""
    from pyscf import ci

    mean_field = molecules.mean_field("water")
    hamiltonian = ql.from_pyscf(mean_field, tolerance=1e-4)
    door = mean_field if exact else None
    solver = ql.CISD()
    interval = ql.energy_interval(hamiltonian, solver, exact=door)
    operator = hamiltonian
    if exact:
        operator = mean_field_corrected(hamiltonian, exact_integrals(mean_field, hamiltonian))
    same = mean_field.copy()
    same.mo_coeff = mean_field.mo_coeff @ solver(operator).state.determinant.orbitals
    same.mo_energy = np.diag(same.mo_coeff.T @ same.get_fock() @ same.mo_coeff)
    same.e_tot = same.energy_tot(same.make_rdm1())
    target = ci.CISD(same).set(conv_tol=1e-11, verbose=0).run().e_tot

    assert target in interval
    assert interval.contains == "the exact CISD energy on the same determinant"


@pytest.mark.parametrize("name", ["water", "o2"])
def test_coupled_cluster_has_an_estimate_and_no_lower_end(name):
    from pyscf import cc

    mean_field = molecules.mean_field(name)
    hamiltonian = ql.from_pyscf(mean_field, tolerance=ROUGH)
    interval = ql.energy_interval(hamiltonian, ql.CoupledCluster(), exact=mean_field)
    solver = cc.CCSD(mean_field) if name == "water" else cc.UCCSD(mean_field.to_uhf())
    solver.conv_tol = 1e-9
    solver.kernel()
    exact = solver.e_tot + solver.ccsd_t()

    assert interval.lower == -np.inf
    assert interval.upper >= molecules.fci_spectrum(*molecules.integrals(name))[0]
    assert "no lower end" in interval.contains
    lost = hamiltonian.residual_trace * sum(hamiltonian.nelec)
    assert abs(interval.estimate - exact) < 0.05 * lost  # the correlation energy's share of it


@pytest.mark.parametrize("fitted", [False, True])
def test_the_exact_mean_field_of_the_residual_keeps_the_lower_bound(fitted):
    """H_C is at or below H on all of Fock space, and above H_L for the reference determinant."""
    mean_field = molecules.mean_field("h2-631g")
    hamiltonian = ql.from_pyscf(mean_field, tolerance=3e-2)
    if fitted:  # whose residual has a Coulomb field: a pivot on the occupied orbital leaves none
        hamiltonian = ql.from_pyscf_ri(mean_field, auxiliary="weigend")
    higher = mean_field_corrected(hamiltonian, exact_integrals(mean_field, hamiltonian))
    constant, one_body, two_body, nelec = molecules.integrals("h2-631g")

    def matrix(constant, one_body, two_body):
        from pyscf.fci import direct_spin1

        order, elements = direct_spin1.pspace(one_body, two_body, len(one_body), nelec, np=10**6)
        reference = np.flatnonzero(order == 0)[0]  # the string that fills the first orbitals
        return elements + constant * np.eye(len(elements)), reference

    exact, reference = matrix(constant, one_body, two_body)
    lower, _ = matrix(higher.constant, higher.normal_ordered_one_body(), higher.two_body())
    left_out = two_body - hamiltonian.two_body()
    # one orbital is doubly occupied: ½ Σ ⟨(r − m)²⟩ is what leads out of it, for two spins
    variance = np.einsum("rr->", left_out[0, 1:, 1:, 0])
    gap = np.linalg.eigvalsh(exact - lower)
    assert (exact - lower)[reference, reference] == pytest.approx(variance, abs=1e-11)
    assert gap[0] > -1e-12 * 10  # rounding of ten Hartree
    assert gap[-1] > 1e-5
    assert residual_of(higher).trace == residual_of(hamiltonian).trace


@pytest.mark.parametrize("exact", [False, True])
def test_cut_leaves_bound_both_sides(exact):
    """Rebuilt from cut leaves, the residual has both signs; the interval still holds the energy."""
    name = "water"
    mean_field = molecules.mean_field(name)
    target = molecules.fci_spectrum(*molecules.integrals(name))[0]
    hamiltonian = ql.from_pyscf(mean_field, tolerance=1e-4)
    for tolerance in (1e-2, 1e-3, 1e-4):
        rebuilt = ql.double_factorize(hamiltonian, tolerance=tolerance).to_hamiltonian()
        interval = ql.energy_interval(rebuilt, ql.FCI(), exact=mean_field if exact else None)

        assert not residual_of(rebuilt).semidefinite
        assert target in interval
        assert {end.proof for end in interval.lower_ends} <= {"trace norm", "split by sign"}
        assert interval.lower_ends[0].proof == ("split by sign" if exact else "trace norm")


def test_active_space():
    mean_field = molecules.mean_field("water-631g")
    cas = mcscf.CASCI(mean_field, 6, 6)
    cas.verbose = 0
    cas.fcisolver.conv_tol = 1e-13
    cas.kernel()
    hamiltonian = ql.from_pyscf(cas, tolerance=ROUGH)
    for exact in (None, cas, read_pyscf(cas), read_pyscf(cas).pairs):
        assert cas.e_tot in ql.energy_interval(hamiltonian, ql.FCI(), exact=exact)


def test_a_state_of_someone_else():
    """Its energy is all that is claimed, and one density is enough without exact integrals."""
    mean_field = molecules.mean_field("water")
    hamiltonian = ql.from_pyscf(mean_field, tolerance=ROUGH)
    state = ql.fci_state(hamiltonian)
    own = OneDensity(state.energy, state.one_body_density(), state.nelec)
    interval = ql.energy_interval(hamiltonian, own)

    assert interval.contains == "the exact energy of this state"
    exact = ql.energy_interval(hamiltonian, state, exact=mean_field)
    assert exact.upper - exact.rounding in interval
    with pytest.raises(ql.InputError, match="has no one_body_covariance"):
        ql.energy_interval(hamiltonian, own, exact=mean_field)


@pytest.mark.parametrize("exact", [False, True])
def test_a_matrix_product_state(exact):
    """Its interval holds its own exact energy, and the upper end is above the ground state."""
    mean_field = molecules.mean_field("h2-631g")
    hamiltonian = ql.from_pyscf(mean_field, tolerance=3e-2)
    state, vector = ql.ground_state_mps(hamiltonian), ql.fci_state(hamiltonian)
    door = mean_field if exact else None
    interval = ql.energy_interval(hamiltonian, state, exact=door)
    same = ql.energy_interval(hamiltonian, vector, exact=door)

    # both are the ground state, whose vector is converged to the root of 1e-13
    np.testing.assert_allclose(state.one_body_density(), vector.one_body_density(), atol=3e-6)
    assert interval.contains == "the exact energy of this state"
    assert interval.upper == pytest.approx(same.upper, abs=1e-6)
    assert interval.upper > molecules.fci_spectrum(*molecules.integrals("h2-631g"))[0]


def test_bad_input(rng):
    mean_field = molecules.mean_field("water")
    hamiltonian = ql.from_pyscf(mean_field, tolerance=ROUGH)
    other = molecules.mean_field("o2")
    with pytest.raises(ql.InputError, match=r"solver must be a method such as ql\.FCI\(\)"):
        ql.energy_interval(hamiltonian, ql.FCI)
    with pytest.raises(ql.InputError, match="solver must be a method"):
        ql.energy_interval(hamiltonian, "fci")
    with pytest.raises(ql.InputError, match="exact must be the PySCF object"):
        ql.energy_interval(hamiltonian, ql.FCI(), exact=3.0)
    with pytest.raises(ql.InputError, match="integrals that this Hamiltonian was made from"):
        ql.energy_interval(hamiltonian, ql.FCI(), exact=read_pyscf(other))
    turned = mean_field.copy()
    turned.mo_coeff = mean_field.mo_coeff @ np.linalg.qr(rng.standard_normal((7, 7)))[0]
    with pytest.raises(ql.InputError, match="integrals that this Hamiltonian was made from"):
        ql.energy_interval(hamiltonian, ql.FCI(), exact=turned)
    with pytest.raises(ql.InputError, match=r"The state has \(5, 5\) electrons in 7 orbitals"):
        ql.energy_interval(replace(hamiltonian, nelec=(5, 4)), ql.hartree_fock_state(hamiltonian))


def test_the_representation_says_what_it_holds():
    interval = ql.energy_interval(ql.from_example("h2", tolerance=0.2), ql.HartreeFock())

    assert repr(interval).startswith("EnergyInterval(hf: -1.")
    assert "holds the lowest energy of a determinant" in repr(interval)
    assert interval.width == interval.upper - interval.lower

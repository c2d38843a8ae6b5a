# SPDX-License-Identifier: Apache-2.0
"""States of molecules and of random Hamiltonians, against PySCF and dense diagonalisation."""

import tracemalloc
from math import comb

import numpy as np
import pytest
from pyscf import ci, fci, gto, scf

from qlowrank.checks import InputError, NotConvergedError
from qlowrank.factorization import double_factorize
from qlowrank.hamiltonian import from_example, from_pyscf
from qlowrank.hamiltonian.record import packed_two_body
from qlowrank.measurement import plan_measurement
from qlowrank.states import cisd_state, fci_state, hartree_fock_state, solve
from tests import molecules

MOLECULES = {
    "LiH": ("Li 0 0 0; H 0 0 1.6", "sto-3g", 0, 0),
    "H2O": ("O 0 0 0; H 0 0.76 0.59; H 0 -0.76 0.59", "sto-3g", 0, 0),
    "BeH doublet": ("Be 0 0 0; H 0 0 1.35", "sto-3g", 0, 1),
    "CH2 triplet": ("C 0 0 0; H 0 0.98 0.4; H 0 -0.98 0.4", "sto-3g", 0, 2),
    "H2 triplet": ("H 0 0 0; H 0 0 1.5", "6-31g", 0, 2),
    "H2+": ("H 0 0 0; H 0 0 1.1", "6-31g", 1, 1),
}
ENERGY = 1e-8
"""Hartree: SCF and CISD are converged to 1e-11 and integrals to 1e-12, some tens of them."""


@pytest.fixture(scope="module", params=MOLECULES)
def molecule(request):
    """A converged mean field and its Hamiltonian."""
    atoms, basis, charge, spin = MOLECULES[request.param]
    mol = gto.M(atom=atoms, basis=basis, charge=charge, spin=spin, verbose=0)
    mean_field = scf.ROHF(mol) if spin else scf.RHF(mol)
    mean_field.conv_tol = 1e-12
    mean_field.kernel()
    return mean_field, from_pyscf(mean_field, tolerance=1e-12)


def test_energies_are_pyscf_s(molecule):
    mean_field, hamiltonian = molecule
    fci_energy = fci.FCI(mean_field).kernel()[0]

    assert hartree_fock_state(hamiltonian).energy == pytest.approx(mean_field.e_tot, abs=ENERGY)
    assert fci_state(hamiltonian).energy == pytest.approx(fci_energy, abs=ENERGY)
    if mean_field.mol.nelectron > 1:
        method = ci.UCISD if mean_field.mol.spin else ci.RCISD
        reference = method(mean_field)
        reference.conv_tol = 1e-11
        reference.kernel()
        assert cisd_state(hamiltonian).energy == pytest.approx(reference.e_tot, abs=ENERGY)
    else:
        assert cisd_state(hamiltonian).energy == pytest.approx(fci_energy, abs=ENERGY)


def test_cisd_is_the_vector_that_pyscf_writes(molecule, dense):
    """Amplitudes keep their meaning: the overlap with PySCF's own full CI vector is one."""
    mean_field, hamiltonian = molecule
    if 0 in hamiltonian.nelec:
        expected = fci_state(hamiltonian).vector  # PySCF has no UCISD vector without beta electrons
    else:
        solver = (ci.UCISD if mean_field.mol.spin else ci.RCISD)(mean_field)
        solver.conv_tol = 1e-11
        solver.kernel()
        expected = np.asarray(solver.to_fcivec(solver.ci, hamiltonian.norb, hamiltonian.nelec))
    vector = dense(cisd_state(hamiltonian)).vector

    # Energies to 1e-11 leave sqrt(1e-11 / gap) in the vector, and its square in the overlap.
    assert abs(np.vdot(vector, expected)) == pytest.approx(1, abs=1e-9)


def test_variances_of_all_groups_agree_with_full_ci_vectors(molecule, dense):
    """CISD and determinant, closed and open shells, with none of one spin: ε²M to 1e-8."""
    _, hamiltonian = molecule
    factorization = double_factorize(hamiltonian)
    for state in (hartree_fock_state(hamiltonian), cisd_state(hamiltonian)):
        found = plan_measurement(factorization, state)
        expected = plan_measurement(factorization, dense(state))
        assert found.epsilon2_shots == pytest.approx(expected.epsilon2_shots, rel=1e-8)
        np.testing.assert_allclose(found.pricing.means, expected.pricing.means, atol=1e-11)
        # 4! eps v_max^4 with v_max at most 20 Hartree^½ here, times the matrices' dimension.
        np.testing.assert_allclose(found.variances, expected.variances, rtol=0, atol=1e-9)
        assert found.predicted_energy == pytest.approx(state.energy, abs=ENERGY)


def test_rotated_orbitals_change_nothing(molecule, rotated, random_orbitals, rng):
    """The basis the Hamiltonian is written in is no physics."""
    _, hamiltonian = molecule
    turned = rotated(hamiltonian, random_orbitals(rng, hamiltonian.norb))
    for solver, tolerance in ((hartree_fock_state, 1e-4), (cisd_state, 1e-4), (fci_state, 1e-5)):
        old, new = solver(hamiltonian), solver(turned)
        assert new.energy == pytest.approx(old.energy, abs=ENERGY)
        # Orbital gradients (3e-6) and Davidson residuals (3e-7) leave this much, over the gaps.
        assert plan_measurement(double_factorize(turned), new).epsilon2_shots == pytest.approx(
            plan_measurement(double_factorize(hamiltonian), old).epsilon2_shots, rel=tolerance
        )


@pytest.mark.parametrize("norb", [1, 2, 3])
def test_every_sector_of_small_random_hamiltonians(norb, random_hamiltonian, rng):
    """Empty, one-electron, full: the means sum to the energy, and CISD is exact where it may be."""
    for n_alpha in range(norb + 1):
        for n_beta in range(n_alpha + 1):
            hamiltonian = random_hamiltonian(rng, norb, (n_alpha, n_beta))
            factorization = double_factorize(hamiltonian)
            states = [f(hamiltonian) for f in (hartree_fock_state, cisd_state, fci_state)]
            for state in states:
                plan = plan_measurement(factorization, state)
                assert plan.predicted_energy == pytest.approx(state.energy, abs=ENERGY)
            mean_field, cisd, full = (state.energy for state in states)
            assert full <= cisd + ENERGY
            assert cisd <= mean_field + ENERGY
            excitations = min(n_alpha, norb - n_alpha) + min(n_beta, norb - n_beta)
            if excitations <= 2:
                assert cisd == pytest.approx(full, abs=ENERGY)
            if n_alpha + n_beta == 1:
                one_body = hamiltonian.normal_ordered_one_body()
                lowest = np.linalg.eigvalsh(one_body)[0] + hamiltonian.constant
                assert mean_field == pytest.approx(lowest, abs=ENERGY)


@pytest.mark.parametrize("seed", [0, 16, 63, 77, 81, 146])
def test_fci_finds_the_lowest_state_of_any_symmetry(seed, random_hamiltonian):
    """The ground state need not have the symmetry of the lowest determinant: not after seed 0."""
    norb, nelec = 6, (3, 3)
    hamiltonian = random_hamiltonian(np.random.default_rng(seed), norb, nelec, parity=True)
    integrals = hamiltonian.normal_ordered_one_body(), packed_two_body(hamiltonian)
    _, matrix = fci.direct_spin1.pspace(*integrals, norb, nelec, np=comb(norb, 3) ** 2)
    lowest = np.linalg.eigvalsh(matrix)[0] + hamiltonian.constant

    assert fci_state(hamiltonian).energy == pytest.approx(lowest, abs=1e-10)


def test_fci_takes_the_memory_it_says():
    hamiltonian = from_example("h10")
    fci_state(from_example("h2"))  # imports
    tracemalloc.start()
    state = fci_state(hamiltonian)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    dense_block = 2 * 8 * fci.direct_spin1.FCI.pspace_size**2  # PySCF's small exact problem
    assert peak <= solve.DAVIDSON_VECTORS * state.vector.nbytes + dense_block


def test_same_input_same_bytes(random_hamiltonian, rng):
    hamiltonian = random_hamiltonian(rng, 4, (2, 2))
    first, second = fci_state(hamiltonian), fci_state(hamiltonian)
    assert first.vector.tobytes() == second.vector.tobytes()
    assert first.vector.flat[np.argmax(np.abs(first.vector))] > 0
    assert cisd_state(hamiltonian).reference_coefficient > 0


def test_stationary_orbitals_are_kept(molecule):
    _, hamiltonian = molecule
    state = hartree_fock_state(hamiltonian)
    assert (state.orbitals == np.eye(hamiltonian.norb)).all()


def test_more_beta_than_alpha_is_refused_by_the_mean_field_only(random_hamiltonian, rng):
    hamiltonian = random_hamiltonian(rng, 2, (0, 1))
    with pytest.raises(InputError, match=r"more beta than alpha.*got \(0, 1\). Swap the spins"):
        hartree_fock_state(hamiltonian)
    with pytest.raises(InputError, match="Swap the spins"):
        cisd_state(hamiltonian)
    assert fci_state(hamiltonian).vector.shape == (1, 2)


def test_what_does_not_fit_is_refused():
    hamiltonian = from_example("water")
    with pytest.raises(
        InputError, match=r"FCI of \(5, 5\) electrons in 7 orbitals \(441 det.*Choose a smaller"
    ):
        fci_state(hamiltonian, max_memory=1e4)
    with pytest.raises(
        InputError, match=r"CISD of 7 orbitals needs.*Choose a smaller active space"
    ):
        cisd_state(hamiltonian, max_memory=1e4)


@pytest.fixture
def impatient(monkeypatch):
    """A function that limits the cycles of the mean field, and of its Newton steps."""

    def limit(cycles, newton_cycles):
        patient = solve.mean_field_of

        def mean_field_of(hamiltonian):
            mean_field = patient(hamiltonian)
            mean_field.max_cycle = cycles
            newton = mean_field.newton

            def second_order():
                solver = newton()
                solver.max_cycle = newton_cycles
                return solver

            mean_field.newton = second_order
            return mean_field

        monkeypatch.setattr(solve, "mean_field_of", mean_field_of)

    return limit


def test_newton_steps_take_over(impatient, rotated, random_orbitals, rng):
    hamiltonian = from_example("lih")
    expected = hartree_fock_state(hamiltonian).energy
    impatient(1, 100)
    turned = rotated(hamiltonian, random_orbitals(rng, hamiltonian.norb))
    assert hartree_fock_state(turned).energy == pytest.approx(expected, abs=ENERGY)


def test_an_unconverged_mean_field_is_refused_with_its_best(
    impatient, rotated, random_orbitals, rng
):
    hamiltonian = from_example("water")
    impatient(1, 1)
    turned = rotated(hamiltonian, random_orbitals(rng, hamiltonian.norb))
    with pytest.raises(NotConvergedError, match=r"neither by DIIS nor by Newton.*Start from") as e:
        hartree_fock_state(turned)
    assert e.value.best.norb == hamiltonian.norb


def test_the_lower_of_two_nearly_degenerate_states():
    """Triplet BH, bent by less than a degree: its Π states are 28 µHartree apart.

    An eigensolver for one state, started from either, stops at the upper.
    """
    atoms = "B -0.0823140506 0.0350852 -0.000664755; H -0.204346012 0.0100681949 2.84243858"
    mol = gto.M(atom=atoms, unit="Bohr", basis="cc-pvdz", spin=2, verbose=0)
    mean_field = scf.ROHF(mol).set(conv_tol=1e-11, max_cycle=200).run()
    hamiltonian = from_pyscf(mean_field, active=(2, 15), tolerance=0)
    operator = hamiltonian.normal_ordered_one_body(), hamiltonian.two_body()
    spectrum = molecules.fci_spectrum(hamiltonian.constant, *operator, hamiltonian.nelec)

    assert 1e-5 < spectrum[1] - spectrum[0] < 1e-4
    assert fci_state(hamiltonian).energy == pytest.approx(spectrum[0], abs=1e-10)


def test_unconverged_ci_is_refused(monkeypatch):
    hamiltonian = from_example("water")
    build = solve._configuration_interaction

    def hasty(*args):
        solver = build(*args)
        solver.max_cycle = 1
        return solver

    monkeypatch.setattr(solve, "_configuration_interaction", hasty)
    with pytest.raises(NotConvergedError, match=r"CISD did not converge in 1 cycles.*state hf"):
        cisd_state(hamiltonian)

    def stopped(self, *_, **__):
        self.converged = False
        return -1.0, np.zeros((21, 21))

    monkeypatch.setattr(fci.direct_spin1.FCI, "kernel", stopped)
    with pytest.raises(
        NotConvergedError, match=r"FCI did not converge in 1000.*-1.0000.*state cisd"
    ):
        fci_state(hamiltonian)

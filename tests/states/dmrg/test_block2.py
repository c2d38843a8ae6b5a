# SPDX-License-Identifier: Apache-2.0
"""block2 behind its door: states against full CI, and what happens when things go wrong."""

import resource
import signal
import threading
from contextlib import contextmanager

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError, NotConvergedError
from qlowrank.hamiltonian import from_example
from qlowrank.states import (
    Block2DMRG,
    GivenOrbitals,
    LocalOrbitals,
    fci_state,
    ground_state_mps,
    mps_from_block2,
)
from qlowrank.states.dmrg.method import trial_of
from qlowrank.states.dmrg.record import Integrals
from qlowrank.states.sites import in_orbitals

pytest.importorskip("block2")

QUICK = Block2DMRG(stages=1, memory=100_000_000)


@pytest.mark.parametrize(("norb", "nelec"), [(3, (2, 1)), (5, (3, 2))])
def test_coefficients_are_those_of_full_ci(rng, random_hamiltonian, norb, nelec):
    """Signs and all: the ground state is unique, so the vectors agree up to one sign."""
    hamiltonian = random_hamiltonian(rng, norb, nelec)
    exact = fci_state(hamiltonian)
    state = ground_state_mps(hamiltonian, max_bond=64, method=QUICK, orbitals=GivenOrbitals())
    overlap = np.vdot(state.mps.to_ci(), exact.vector)
    # Energies agree to 1e-7, so overlaps to 1e-7 / gap.
    assert abs(overlap) == pytest.approx(1.0, abs=1e-6)
    assert state.energy == pytest.approx(exact.energy, abs=1e-7)
    assert state.convergence.converged


@pytest.fixture(scope="module")
def fluoride():
    """LiF in canonical orbitals, where electrons in π orbitals do not mix with the others."""
    from pyscf import gto, mcscf, scf

    molecule = gto.M(atom="Li 0 0 0; F 0 0 1.5639", basis="6-31g", verbose=0)
    return ql.from_pyscf(mcscf.CASCI(scf.RHF(molecule).run(), 8, 8))


@pytest.mark.parametrize("seed", [1, 2])
def test_no_start_ends_in_an_excited_state(fluoride, seed):
    """Without occupations most starts end 0.26 Hartree too high."""
    method = Block2DMRG(stages=2, memory=100_000_000, seed=seed)
    state = ground_state_mps(fluoride, max_bond=20, method=method, orbitals=GivenOrbitals())
    exact = fci_state(fluoride).energy
    assert exact - 1e-9 < state.energy < exact + 1e-3
    assert state.convergence.converged


@pytest.mark.parametrize(("atoms", "bond", "spacing"), [(6, 12, 1.0), (6, 12, 1.8), (8, 16, 1.0)])
def test_full_ci_is_within_the_uncertainty(atoms, bond, spacing):
    from pyscf import gto, scf

    places = [("H", (0.0, 0.0, spacing * k)) for k in range(atoms)]
    chain = ql.from_pyscf(scf.RHF(gto.M(atom=places, basis="sto-6g", verbose=0)).run())
    method = Block2DMRG(memory=100_000_000)
    convergence = ground_state_mps(chain, max_bond=bond, method=method).convergence
    line, exact = convergence.extrapolation(), fci_state(chain).energy
    assert abs(line.energy - exact) <= line.uncertainty
    assert line.uncertainty >= convergence.energies[-1] - line.energy


def test_energy_is_of_the_whole_operator_though_sweeps_compress_it():
    """Of twelve atoms, 2.5 Å apart, where most integrals are negligible."""
    from pyscf import gto, scf
    from pyscf.fci import direct_spin1

    places = [("H", (0.0, 0.0, 2.5 * k)) for k in range(12)]
    chain = ql.from_pyscf(scf.RHF(gto.M(atom=places, basis="sto-6g", verbose=0)).run())
    columns = LocalOrbitals()(chain)
    turned = in_orbitals(chain, columns)
    one_body, two_body = turned.normal_ordered_one_body(), turned.two_body()
    whole = Integrals(one_body, two_body, chain.constant, chain.nelec)
    kept = whole.without_negligible(1e-5)
    assert np.count_nonzero(kept.two_body) < kept.two_body.size / 2
    method = Block2DMRG(stages=1, tolerance=1e-5, memory=100_000_000)
    found = method.solve(kept, trial_of(chain, columns), 20)
    vector = found.mps.to_ci()
    exact = direct_spin1.energy(kept.one_body, kept.two_body, vector, 12, kept.nelec)
    assert found.energy == pytest.approx(exact + kept.constant, abs=1e-10)


def test_same_seed_same_bytes_and_no_traces(tmp_path, capfd):
    method = Block2DMRG(stages=2, memory=100_000_000, scratch=str(tmp_path))
    hamiltonian = from_example("h2")
    first, second = (ground_state_mps(hamiltonian, max_bond=3, method=method) for _ in range(2))
    for ours, theirs in zip(first.mps.blocks, second.mps.blocks, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_scratch_that_is_no_folder(tmp_path):
    method = Block2DMRG(scratch=str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"scratch must be a folder .*Block2DMRG\(scratch"):
        ground_state_mps(from_example("h2"), method=method)


@contextmanager
def files_up_to(size):
    """No file of this process or its children may grow beyond `size` bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("size", [5_000, 13_000])
def test_scratch_without_room(tmp_path, size):
    """Too small for the 10 kB of integrals; room for those, and not for what block2 writes."""
    hamiltonian = from_example("lih")
    method = Block2DMRG(scratch=str(tmp_path), memory=100_000_000)
    with files_up_to(size), pytest.raises(OSError, match=r"no room .*Block2DMRG\(scratch"):
        ground_state_mps(hamiltonian, method=method)
    assert list(tmp_path.iterdir()) == []


def impostor(folder, monkeypatch, code):
    """Put another pyblock2 before the real one."""
    package = folder / "pyblock2"
    package.mkdir()
    (package / "__init__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_block2_missing(tmp_path, monkeypatch):
    impostor(tmp_path, monkeypatch, "raise ImportError('not here')")
    with pytest.raises(InputError, match=r"pip install 'qlowrank\[dmrg\]'"):
        ground_state_mps(from_example("h2"), method=QUICK)


def test_block2_dies(tmp_path, monkeypatch):
    code = "import os, sys\nprint('out of stack', file=sys.stderr)\nos._exit(3)"
    impostor(tmp_path, monkeypatch, code)
    with pytest.raises(NotConvergedError, match=r"ended with status 3.*out of stack"):
        ground_state_mps(from_example("h2"), method=QUICK)


@pytest.fixture
def interruptible():
    """Ctrl-C raises KeyboardInterrupt, also in a process that was started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_in_the_middle_of_a_sweep(tmp_path):
    """Ctrl-C while block2 works: the last sweep is kept, and block2 and its files are gone."""
    method = Block2DMRG(memory=100_000_000, scratch=str(tmp_path))
    timer = threading.Timer(0.0, signal.raise_signal, [signal.SIGINT])

    def progress(_what, done, _total):
        if timer.ident is not None:  # a slow machine: block2 was faster than the other thread
            timer.join()
        elif done == 2:
            timer.start()

    state = ground_state_mps(from_example("lih"), max_bond=8, method=method, progress=progress)
    timer.join()
    assert state.convergence.status == "interrupted"
    assert sum(state.convergence.sweeps) >= 2
    assert list(tmp_path.iterdir()) == []
    ql.save(tmp_path / "kept.h5", from_example("lih"), state)
    assert ql.verify(tmp_path / "kept.h5").passed  # its energy is that of the state that was kept


def own_driver(folder, symmetry):
    """A calculation as users of block2 make it themselves."""
    from pyblock2.driver.core import DMRGDriver

    return DMRGDriver(scratch=str(folder), symm_type=symmetry, n_threads=1, stack_mem=2**27)


def test_a_state_of_the_users_own_driver(rng, random_hamiltonian, tmp_path):
    """Of an open shell, so that a lost sign or a swapped spin shows."""
    from pyblock2.driver.core import SymmetryTypes

    hamiltonian = random_hamiltonian(rng, 4, (3, 1))
    driver = own_driver(tmp_path, SymmetryTypes.SZ)
    driver.initialize_system(n_sites=4, n_elec=4, spin=2)
    one_body, two_body = hamiltonian.normal_ordered_one_body(), hamiltonian.two_body()
    operator = driver.get_qc_mpo(one_body, two_body, ecore=hamiltonian.constant, iprint=0)
    ket = driver.get_random_mps(tag="KET", bond_dim=50)
    energy = driver.dmrg(operator, ket, n_sweeps=12, bond_dims=[50], noises=[1e-3, 1e-4, 0])

    mps = mps_from_block2(driver, ket)

    exact = fci_state(hamiltonian)
    assert energy == pytest.approx(exact.energy, abs=1e-7)
    assert mps.nelec == (3, 1)
    assert mps.norm() == pytest.approx(1.0, abs=1e-12)
    assert abs(np.vdot(mps.to_ci(), exact.vector)) == pytest.approx(1.0, abs=1e-6)
    assert driver.expectation(ket, operator, ket) == pytest.approx(energy, abs=1e-9)


def test_other_symmetries_are_refused(tmp_path):
    from pyblock2.driver.core import SymmetryTypes

    with pytest.raises(InputError, match=r"symm_type=SymmetryTypes.SZ; .*mps_change_to_sz"):
        mps_from_block2(own_driver(tmp_path, SymmetryTypes.SU2), None)

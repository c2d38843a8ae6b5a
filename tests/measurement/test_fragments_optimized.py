# SPDX-License-Identifier: Apache-2.0
"""Fragments with optimised frames: exact, cheap, repeatable; and their bad input."""

from math import comb

import numpy as np
import pytest

from qlowrank import from_integrals
from qlowrank.checks import InputError
from qlowrank.factorization import double_factorize
from qlowrank.measurement import plain_groups
from qlowrank.measurement.fragments.design import design, solve
from qlowrank.measurement.fragments.optimized import OptimizedFragments
from qlowrank.measurement.fragments.resplit import ResplitFragments, leaf_frames
from qlowrank.measurement.fragments.setting import prepare
from qlowrank.measurement.fragments.turning import turned
from qlowrank.measurement.fragments.vector import guide
from qlowrank.states import (
    FCIState,
    cisd_state,
    fci_state,
    ground_state_mps,
    hartree_fock_state,
)

SECTORS = [
    (1, (1, 0)),
    (1, (1, 1)),
    (2, (0, 0)),
    (2, (1, 1)),
    (2, (2, 1)),
    (3, (2, 0)),
    (3, (2, 1)),
    (4, (1, 1)),
    (4, (2, 2)),
    (4, (3, 3)),
    (4, (3, 1)),
    (4, (4, 2)),
    (5, (3, 2)),
    (5, (4, 2)),
]
METHODS = [
    ResplitFragments(max_steps=30),
    ResplitFragments(separate_spins=False, max_steps=30),
    OptimizedFragments(max_steps=3),
    OptimizedFragments(separate_spins=False, max_steps=3),
]


def random_hamiltonian(rng, norb, nelec):
    """Dense positive semidefinite integrals of full rank, without any symmetry in space."""
    one_body = rng.standard_normal((norb, norb))
    factors = rng.standard_normal((norb * (norb + 1) // 2, norb, norb))
    factors = factors + factors.transpose(0, 2, 1)
    two_body = np.einsum("tpq,trs->pqrs", factors, factors) / norb
    return from_integrals(0.7, one_body + one_body.T, two_body, nelec, tolerance=1e-12)


def random_state(rng, norb, nelec):
    vector = rng.standard_normal((comb(norb, nelec[0]), comb(norb, nelec[1])))
    return FCIState(vector / np.linalg.norm(vector), norb, nelec, 0.0)


def cost(fragments, state):
    return sum(np.sqrt(state.moments(group).variance) for group in fragments.groups) ** 2


def applied(fragments, state):
    """The sum of all groups and the constant, applied to a CI vector."""
    image = fragments.constant * state.vector
    for group in fragments.groups:
        image = image + state._apply(group)
    return image


def hamiltonian_applied(factorization, state):
    """The Hamiltonian applied to a CI vector by PySCF."""
    from pyscf.fci import direct_spin1

    hamiltonian = factorization.to_hamiltonian()
    norb, nelec = hamiltonian.norb, hamiltonian.nelec
    one_body, two_body = hamiltonian.normal_ordered_one_body(), hamiltonian.two_body()
    if sum(nelec) == 0:
        return hamiltonian.constant * state.vector
    absorbed = direct_spin1.absorb_h1e(one_body, two_body, norb, nelec, 0.5)
    image = direct_spin1.contract_2e(absorbed, np.array(state.vector), norb, nelec)
    return hamiltonian.constant * state.vector + image.reshape(state.vector.shape)


@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize(("norb", "nelec"), SECTORS)
def test_groups_are_the_hamiltonian_on_its_sector(norb, nelec, method, rng):
    factorization = double_factorize(random_hamiltonian(rng, norb, nelec))

    fragments = method(factorization, random_state(rng, norb, nelec))

    assert 1 <= len(fragments.groups) <= factorization.n_leaves + 1
    for _ in range(3):
        probe = random_state(rng, norb, nelec)
        gap = applied(fragments, probe) - hamiltonian_applied(factorization, probe)
        # Coordinates match to MISFIT of the largest at worst; here systems are well conditioned,
        # and coefficients of up to 1e3 Hartree cancel to 1e-16 of themselves.
        assert np.linalg.norm(gap) < 1e-9


@pytest.mark.parametrize("name", ["h2", "h3"])
def test_each_freedom_lowers_the_cost(name, system):
    made = system(name)
    freedoms = [
        ResplitFragments(separate_spins=False),
        ResplitFragments(),
        OptimizedFragments(),
    ]

    costs = [cost(method(made.factorization, made.state), made.state) for method in freedoms]

    slack = 1.002  # the convex problems stop within a thousandth of their bounds
    plain = made.plan.epsilon2_shots
    for cheaper, dearer in zip(costs, [plain, *costs[:-1]], strict=True):
        assert cheaper <= slack * dearer


def test_optimised_frames_leave_h2_nothing_to_measure(system):
    """Its ground state is an eigenstate of every group of a suitable splitting."""
    made = system("h2")

    fragments = OptimizedFragments()(made.factorization, made.state)

    assert cost(fragments, made.state) < 1e-5


def test_published_lithium_hydride_is_beaten_sixfold(system):
    """LiH, 1.0 Å, STO-3G: the best published kind of method needs 0.118 Hartree²."""
    made = system("lih")

    fragments = OptimizedFragments(max_steps=15)(made.factorization, made.state)

    assert cost(fragments, made.state) <= 0.02
    assert len(fragments.groups) <= made.factorization.n_leaves + 1


def test_the_same_seed_gives_the_same_bytes(rng):
    factorization = double_factorize(random_hamiltonian(rng, 4, (2, 1)))
    state = random_state(rng, 4, (2, 1))

    first, second, other = (
        OptimizedFragments(max_steps=2, seed=seed)(factorization, state) for seed in (3, 3, 4)
    )

    for one, two in zip(first.groups, second.groups, strict=True):
        np.testing.assert_array_equal(one.frame, two.frame)
        np.testing.assert_array_equal(one.opposite_spin, two.opposite_spin)
    assert first.constant == second.constant
    assert first.constant != other.constant


def test_no_solution_of_the_same_frames_is_below_the_bound(rng):
    """Lagrange's bound, against random coefficients that satisfy the same conditions."""
    factorization = double_factorize(random_hamiltonian(rng, 3, (2, 1)))
    setting = prepare(
        factorization,
        random_state(rng, 3, (2, 1)),
        separate_spins=True,
        regularization=1e-6,
        max_memory=None,
    )
    frames = np.array([np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(6)])
    views = [setting.view(frame) for frame in frames]
    problem = design([v[0] for v in views], [v[1] for v in views], setting.target)
    solution = solve(problem, np.full(6, 1 / 6))
    whole = np.hstack([v[0] for v in views])
    nothing = np.eye(whole.shape[1]) - np.linalg.pinv(whole) @ whole

    assert solution.lower_bound <= solution.spread <= solution.value * (1 + 1e-12)
    for _ in range(50):
        move = (nothing @ rng.standard_normal(whole.shape[1])).reshape(6, -1) * 10
        other = solution.coefficients + move * rng.uniform() ** 4
        spread = sum(np.sqrt(c @ v[1] @ c) for c, v in zip(other, views, strict=True)) ** 2
        assert spread >= solution.lower_bound


def test_leaf_frames_diagonalise_leaves_and_what_kappa_they_can(system):
    """Where a leaf has equal eigenvalues, as those of LiH have, kappa is diagonal among them."""
    factorization = system("lih").factorization
    frames = leaf_frames(factorization)
    np.testing.assert_array_equal(frames[0], np.eye(factorization.norb))
    equal = 0
    for frame, factor in zip(frames[1:], factorization.factors(), strict=True):
        core = frame.T @ factor @ frame
        kappa = frame.T @ factorization.one_body @ frame
        size = np.abs(core).max()
        # EQUAL times the eigenvalues is what mixing them may leave.
        np.testing.assert_allclose(core, np.diag(np.diag(core)), atol=1e-8 * size)
        values = np.diag(core)
        alike = np.abs(values[:, None] - values) < 1e-10 * size
        np.fill_diagonal(alike, val=False)
        equal += alike.sum()
        np.testing.assert_allclose(kappa[alike], 0.0, atol=1e-9)
    assert equal > 0


def test_turned_frames_stay_orthogonal_and_turn_as_said(rng):
    frames = np.array([np.linalg.qr(rng.standard_normal((4, 4)))[0] for _ in range(3)])
    angles = rng.standard_normal((3, 6))

    result = turned(frames, angles)
    small = turned(frames, 1e-6 * angles)

    np.testing.assert_allclose(result.transpose(0, 2, 1) @ result, [np.eye(4)] * 3, atol=1e-14)
    p, q = np.triu_indices(4, 1)
    generator = ((small - frames) / 1e-6).transpose(0, 2, 1) @ frames
    np.testing.assert_allclose(generator[:, q, p], angles, atol=1e-5)


def test_a_cisd_state_is_expanded_into_the_hamiltonians_orbitals(system):
    """Means and variances from the CI vector, against those without one."""
    made = system("h3")
    state = cisd_state(made.hamiltonian)
    expanded = FCIState(guide(state).vector, state.norb, state.nelec, state.energy)

    for group in made.plan.groups:
        one, two = state.moments(group), expanded.moments(group)
        # Sums of a few dozen terms of order one.
        assert one.mean == pytest.approx(two.mean, abs=1e-11)
        assert one.variance == pytest.approx(two.variance, abs=1e-11)
    assert guide(made.state).missing == 0.0
    assert 0 < guide(state).missing < 0.01


def test_a_chain_guides_like_the_vector_it_is(system):
    made = system("h3")
    chain = ground_state_mps(made.hamiltonian)

    assert abs(np.vdot(guide(chain).vector, made.state.vector)) == pytest.approx(1, abs=1e-9)
    one, two = (
        cost(ResplitFragments()(made.factorization, state), made.state)
        for state in (chain, made.state)
    )
    # Both stop within a thousandth of the optimum.
    assert one == pytest.approx(two, rel=3e-3)
    with pytest.raises(InputError, match=r"The mps state as a CI vector of 9 determinants needs"):
        guide(chain, max_memory=10)


def test_groups_lowered_for_cisd_are_still_exact(system):
    made = system("h3")

    fragments = OptimizedFragments(max_steps=5)(made.factorization, cisd_state(made.hamiltonian))

    energy = fragments.constant + sum(made.state.moments(g).mean for g in fragments.groups)
    assert energy == pytest.approx(made.state.energy, abs=1e-9)
    assert cost(fragments, made.state) < made.plan.epsilon2_shots


def test_fewer_groups_when_asked(rng):
    factorization = double_factorize(random_hamiltonian(rng, 4, (2, 2)))
    state = random_state(rng, 4, (2, 2))

    fragments = OptimizedFragments(n_groups=8, max_steps=2)(factorization, state)

    assert len(fragments.groups) <= 8
    gap = applied(fragments, state) - hamiltonian_applied(factorization, state)
    assert np.linalg.norm(gap) < 1e-9


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_few_leaves_keep_their_frames(method, rng):
    """Two leaves cannot hold a Hamiltonian in frames of general position; in their own they do."""
    one_body = rng.standard_normal((4, 4))
    factors = rng.standard_normal((2, 4, 4))
    factors = factors + factors.transpose(0, 2, 1)
    two_body = np.einsum("tpq,trs->pqrs", factors, factors)
    integrals = 0.0, one_body + one_body.T, two_body, (2, 1)
    factorization = double_factorize(from_integrals(*integrals, tolerance=1e-10))
    state = random_state(rng, 4, (2, 1))

    fragments = method(factorization, state)

    assert len(fragments.groups) <= 3
    gap = applied(fragments, state) - hamiltonian_applied(factorization, state)
    assert np.linalg.norm(gap) < 1e-8


@pytest.mark.parametrize("repulsion", [0.0, 4.0])
@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_chains_of_sites_with_few_squares_or_none(method, repulsion):
    """Hubbard's model: norb leaves at most, all alike; without repulsion there are none."""
    two_body = np.zeros((4,) * 4)
    sites = np.arange(4)
    two_body[sites, sites, sites, sites] = repulsion
    hopping = -np.eye(4, k=1) - np.eye(4, k=-1)
    hamiltonian = from_integrals(0.0, hopping, two_body, (2, 1), tolerance=1e-10)
    state = fci_state(hamiltonian)
    factorization = double_factorize(hamiltonian)

    fragments = method(factorization, state)

    plain = sum(np.sqrt(state.moments(g).variance) for g in plain_groups(factorization)) ** 2
    assert cost(fragments, state) <= plain + 1e-12
    gap = applied(fragments, state) - state.energy * state.vector
    # The eigensolver stops at 1e-13 in the energy: about 1e-6 in the residual.
    assert np.linalg.norm(gap) < 1e-5


def test_progress_is_reported(rng):
    calls = []
    factorization = double_factorize(random_hamiltonian(rng, 3, (1, 1)))

    OptimizedFragments(max_steps=2)(
        factorization, random_state(rng, 3, (1, 1)), lambda *call: calls.append(call)
    )

    assert calls[0] == ("fragments", 1, 2)
    assert all(done <= total for _, done, total in calls)


@pytest.mark.parametrize("n_groups", [0, 3, 99])
def test_impossible_numbers_of_groups_are_refused(n_groups, rng):
    factorization = double_factorize(random_hamiltonian(rng, 4, (2, 2)))
    with pytest.raises(InputError, match=r"n_groups must be 6 to 11 .* got"):
        OptimizedFragments(n_groups=n_groups)(factorization, random_state(rng, 4, (2, 2)))


@pytest.mark.parametrize("method", [ResplitFragments(), OptimizedFragments()], ids=repr)
def test_states_that_cannot_guide_are_refused(method, system, rng):
    made = system("h3")
    with pytest.raises(InputError, match="In one determinant too many operators"):
        method(made.factorization, hartree_fock_state(made.hamiltonian))
    with pytest.raises(InputError, match=r"The state has 3 orbitals and nelec \(1, 1\)"):
        method(made.factorization, random_state(rng, 3, (1, 1)))


@pytest.mark.parametrize("kind", [ResplitFragments, OptimizedFragments])
def test_work_that_does_not_fit_is_refused(kind, system):
    made = system("h3")
    with pytest.raises(InputError, match=r"Optimising .* needs .* memory.* fragments 'fluid'"):
        kind(max_memory=100.0)(made.factorization, made.state)
    with pytest.raises(InputError, match="regularization must be above 0"):
        kind(regularization=-1.0)(made.factorization, made.state)

# SPDX-License-Identifier: Apache-2.0
"""Plain, mean-field and fluid fragments: exact, convex, and as good as published."""

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.measurement import plain_groups
from qlowrank.measurement.fragments.shifted import (
    FluidFragments,
    MeanFieldFragments,
    PlainFragments,
)

METHODS = [ql.PlainFragments(), ql.MeanFieldFragments(), ql.FluidFragments()]

# Hartree²; FCI variances, leaves from eigenvectors, coefficients optimised on the FCI state. A leaf
# of low rank leaves the basis of its null space open, rounding decides it, and the optimum puts
# one-body parts there: its value depends on rounding in the second or third digit.
FLUID = {"lih": 0.1245, "beh2": 0.525, "water": 0.880}


@pytest.fixture(scope="module")
def cases():
    """Hamiltonian, eigen-leaf factorization and FCI state of an example, computed once."""
    made = {}

    def case(name):
        if name not in made:
            hamiltonian = ql.from_example(name, tolerance=0.0)
            made[name] = (
                hamiltonian,
                ql.double_factorize(hamiltonian, gauge=ql.EigenGauge()),
                ql.fci_state(hamiltonian),
            )
        return made[name]

    return case


def applied(group, vector, norb, nelec):
    """F|v⟩ through PySCF's two-electron contraction: another route than the package's."""
    from pyscf.fci import direct_uhf

    frame = group.frame
    one = (frame * group.linear) @ frame.T

    def tensor(core):
        return np.einsum("pk,qk,kl,rl,sl->pqrs", frame, frame, core, frame, frame)

    same, opposite = tensor(group.same_spin), tensor(group.opposite_spin)
    # contract_2e(aa, ab, bb) applies Σ aa EE + 2 Σ ab EE + Σ bb EE
    image = direct_uhf.contract_2e((same / 2, opposite / 2, same / 2), vector, norb, nelec)
    return image + direct_uhf.contract_1e((one, one), vector, norb, nelec)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("name", ["h2", "lih", "water", "o2"])
def test_groups_sum_to_the_hamiltonian(cases, method, name, rng):
    """Applied to a random vector of the sector: operators, not only expectation values."""
    hamiltonian, factorization, state = cases(name)
    fragments = method(factorization, state)
    vector = rng.normal(size=state.vector.shape)
    vector /= np.linalg.norm(vector)
    arguments = (vector, hamiltonian.norb, hamiltonian.nelec)

    total = fragments.constant * vector
    total = total + sum(applied(group, *arguments) for group in fragments.groups)

    expected = factorization.constant * vector
    expected = expected + sum(applied(group, *arguments) for group in plain_groups(factorization))
    scale = sum(np.abs(group.same_spin).sum() + np.abs(group.linear).sum()
                for group in fragments.groups)  # fmt: skip
    assert np.linalg.norm(total - expected) <= 100 * np.finfo(float).eps * scale


@pytest.mark.parametrize("name", ["lih", "beh2", "water"])
def test_order_of_methods_and_values(cases, name):
    _, factorization, state = cases(name)
    plain, mean_field, fluid = (
        ql.plan_measurement(factorization, state, fragments=method).epsilon2_shots
        for method in METHODS
    )

    assert fluid < mean_field < plain
    # null-space bases of low-rank leaves, which LAPACK chooses, move the optimum by a few percent
    assert fluid == pytest.approx(FLUID[name], rel=5e-2)


def test_against_another_solver(cases):
    """L-BFGS on the smoothed objective, from the mean-field point, ends no lower."""
    from scipy.optimize import minimize

    from qlowrank.measurement.fragments import shifted

    _, factorization, state = cases("lih")
    problem = shifted._fluid_problem(factorization, state, None)
    shape = (factorization.n_leaves, factorization.norb)

    def objective(x, smoothing):
        shifts = x.reshape(shape)
        spread = np.sqrt(problem.variances(shifts) + smoothing**2)
        moved = problem.kappa + np.einsum("txk,tk->x", problem.leaves, shifts)
        slope = np.einsum("tkl,tl->tk", problem.occupations, shifts) - problem.mixed
        slope = slope / spread[1:, None]
        slope += np.einsum("txk,x->tk", problem.leaves, problem.one_body @ moved) / spread[0]
        return spread.sum(), slope.ravel()

    x = shifted.mean_field_shifts(factorization, state).ravel()
    for smoothing in (1e-2, 1e-3, 1e-4):
        options = {"maxiter": 3000, "maxfun": 6000, "maxcor": 40}
        x = minimize(objective, x, (smoothing,), "L-BFGS-B", jac=True, options=options).x
    other = np.sqrt(problem.variances(x.reshape(shape))).sum() ** 2

    ours = ql.plan_measurement(factorization, state, fragments=FluidFragments()).epsilon2_shots
    assert ours <= other * (1 + 1e-6)
    assert ours == pytest.approx(other, rel=1e-2)


def test_cisd_drives_as_well_as_fci(cases):
    """Coefficients from CISD, valued with FCI: close to the optimum for water."""
    hamiltonian, factorization, state = cases("water")
    fragments = FluidFragments()(factorization, ql.cisd_state(hamiltonian))
    spread = [np.sqrt(state.moments(group).variance) for group in fragments.groups]

    assert fragments.status.converged
    assert sum(spread) ** 2 == pytest.approx(FLUID["water"], rel=3e-2)


def test_mean_field_shift_is_the_closed_form(cases):
    """½(L̂ − m)² − ½m² is what each group becomes."""
    _, factorization, state = cases("lih")
    fragments = MeanFieldFragments()(factorization, state)
    plain = plain_groups(factorization)

    for group, square, values in zip(
        fragments.groups[1:], plain[1:], factorization.eigenvalues, strict=True
    ):
        linear = ql.DiagonalOperator(
            square.frame, values, 0 * square.same_spin, 0 * square.same_spin
        )
        mean = state.moments(linear).mean
        np.testing.assert_allclose(group.linear, -mean * values, atol=1e-13)


def test_a_determinant_cannot_drive_fluid_fragments(cases):
    hamiltonian, factorization, _ = cases("h2")
    state = ql.hartree_fock_state(hamiltonian)
    with pytest.raises(ql.InputError, match="cisd"):
        FluidFragments()(factorization, state)


@pytest.mark.parametrize("options", [{"max_steps": 0}, {"stop": 0.0}, {"stop": float("nan")}])
def test_bad_options(options):
    with pytest.raises(ql.InputError, match="max_steps"):
        FluidFragments(**options)


def test_floor_protects_quiet_groups(cases):
    """A floor spreads its share evenly, keeps the precision and costs at most 1/(1 − floor)."""
    hamiltonian, factorization, _ = cases("water")
    state = ql.cisd_state(hamiltonian)
    plain = ql.plan_measurement(factorization, state)
    floored = ql.plan_measurement(factorization, state, floor=0.1)

    assert floored.predicted_standard_error <= floored.precision * (1 + 1e-12)
    assert floored.shots.min() >= 0.09 * floored.total_shots / floored.n_groups
    assert floored.total_shots <= plain.total_shots / 0.9 + floored.n_groups
    with pytest.raises(ql.InputError, match="floor"):
        ql.plan_measurement(factorization, state, floor=1.0)


@pytest.mark.parametrize("name", ["lih", "h2"])
def test_number_shifts_add_up_too_and_change_nothing_once_means_are_taken_out(cases, name):
    """L̂ − s N̂ differs from L̂ by a constant on the sector, which a mean-field shift removes."""
    _, factorization, state = cases(name)
    shifted = ql.shift_symmetry(factorization)

    for method, slack in ((PlainFragments(), None), (MeanFieldFragments(), 1e-9)):
        one, two = (
            ql.plan_measurement(f, state, fragments=method) for f in (factorization, shifted)
        )
        # The eigensolver's energy is good to 1e-10 Hartree.
        assert two.predicted_energy == pytest.approx(state.energy, abs=1e-9)
        if slack is not None:
            assert two.epsilon2_shots == pytest.approx(one.epsilon2_shots, rel=slack)

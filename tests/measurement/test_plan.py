# SPDX-License-Identifier: Apache-2.0
"""The plan: its numbers belong together, its circuits carry its shots, bad input is refused."""

from dataclasses import replace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.circuits import determinant_circuit, two_qubit_depth
from qlowrank.measurement import MeasurementPlan, Pricing, plan_measurement
from qlowrank.states import cisd_state, fci_state, hartree_fock_state


@pytest.fixture(scope="module")
def plan(system):
    return system("h3").plan


@pytest.mark.parametrize("precision", [1e-1, 1.6e-3, 1e-5])
@pytest.mark.parametrize("state_of", [hartree_fock_state, cisd_state, fci_state])
def test_numbers_of_a_plan(system, precision, state_of):
    molecule = system("h3")
    plan = plan_measurement(
        molecule.factorization, state_of(molecule.hamiltonian), precision=precision
    )
    assert plan.norb == 3
    assert plan.nelec == (2, 1)
    assert plan.n_groups == molecule.factorization.n_leaves + 1 == len(plan.groups)
    assert plan.constant == molecule.hamiltonian.constant
    assert plan.precision == precision
    assert plan.total_shots == plan.shots.sum()
    assert plan.epsilon2_shots == pytest.approx(np.sqrt(plan.variances).sum() ** 2, rel=1e-15)
    assert plan.predicted_standard_error <= precision
    assert plan.total_shots <= plan.epsilon2_shots / precision**2 + 2 * plan.n_groups
    assert (plan.pricing.variances >= 0).all()


def test_progress_counts_the_groups(system):
    molecule, calls = system("h2"), []
    plan_measurement(
        molecule.factorization, molecule.state, progress=lambda *call: calls.append(call)
    )
    assert calls == [("variances", done, 4) for done in (1, 2, 3, 4)]


def test_records_are_read_only(plan):
    for array in (plan.shots, plan.variances, plan.pricing.means):
        assert not array.flags.writeable
    assert plan.shots.dtype == np.int64


def test_repr_says_what_it_costs(plan):
    assert repr(plan) == (
        f"MeasurementPlan({plan.n_groups} groups, {plan.total_shots} shots for 0.005 Hartree, "
        f"eps²M = {plan.epsilon2_shots:.6g} Hartree², variances from fci)"
    )


def test_pubs_carry_the_shots(plan):
    preparation = QuantumCircuit(6)
    preparation.x([0, 1, 3])
    pubs = plan.pubs(preparation)
    assert [shots for _, _, shots in pubs] == plan.shots.tolist()
    assert all(type(shots) is int for _, _, shots in pubs)
    for circuit, parameters, _ in pubs:
        assert parameters is None
        assert [register.name for register in circuit.cregs] == ["meas"]
        assert circuit.num_clbits == circuit.num_qubits == 6
        assert circuit.count_ops()["x"] == 3


@pytest.mark.parametrize("name", ["h2", "h3"])
def test_a_pass_manager_sees_every_circuit(name, system):
    plan = system(name).plan
    manager = generate_preset_pass_manager(0, basis_gates=["rz", "sx", "x", "cx"])
    pubs = plan.pubs(QuantumCircuit(2 * plan.norb), pass_manager=manager)
    assert len(pubs) == plan.n_groups
    assert [shots for _, _, shots in pubs] == plan.shots.tolist()
    for circuit, _, _ in pubs:
        assert set(circuit.count_ops()) <= {"rz", "sx", "x", "cx", "measure"}


@pytest.mark.parametrize("name", ["h2", "h3", "lih"])
def test_two_qubit_depth_is_that_of_the_circuits(name, system):
    plan = system(name).plan
    circuits = plan.circuits(QuantumCircuit(2 * plan.norb))
    depths = [two_qubit_depth(circuit) for circuit in circuits]
    assert plan.max_two_qubit_depth() == max(depths)


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        (0, "precision must be above 0; got 0"),
        (-1.6e-3, r"precision must be above 0; got -0\.0016"),
        (float("nan"), "precision must be finite; got nan"),
        (float("inf"), "precision must be finite; got inf"),
        ("good", "precision must be a real number; got 'good'"),
        (1e-12, r"1e-12 Hartree needs .* shots, more than can be counted"),
    ],
)
def test_bad_precision_is_refused(precision, message, system):
    molecule = system("h2")
    with pytest.raises(InputError, match=message):
        plan_measurement(molecule.factorization, molecule.state, precision=precision)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("h2", r"state has 2 orbitals and nelec \(1, 1\).*factorization has 3 and \(2, 1\)"),
        ("sector", r"state has 3 orbitals and nelec \(1, 1\).*same Hamiltonian"),
        ("swapped", r"state has 3 orbitals and nelec \(1, 2\).*3 and \(2, 1\)"),
    ],
)
def test_a_foreign_state_is_refused(name, message, system):
    hamiltonian = system("h3").hamiltonian
    if name == "h2":
        state = system("h2").state
    else:
        nelec = (1, 1) if name == "sector" else (1, 2)
        state = fci_state(replace(hamiltonian, nelec=nelec))
    with pytest.raises(InputError, match=message):
        plan_measurement(system("h3").factorization, state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": ()}, "as many means, variances and shots as groups, and at least one; got 0"),
        ({"shots": np.array([5])}, r"got \d groups, \d means, \(1,\) shots"),
        ({"shots": 1}, "Every group needs a whole number of shots, at least 2; got 1 to 1"),
        ({"shots": 2.5}, r"whole number of shots, at least 2; got 2\.5 to 2\.5"),
        ({"nelec": (4, 0)}, "0 to 3 electrons of each spin"),
        ({"precision": -1.0}, "precision must be above 0"),
    ],
)
def test_inconsistent_plans_are_refused(change, message, plan):
    if np.isscalar(change.get("shots")):
        change = {"shots": np.full(plan.n_groups, change["shots"])}
    with pytest.raises(InputError, match=message):
        replace(plan, **change)


def test_groups_of_different_size_are_refused(system):
    groups = (*system("h2").plan.groups, *system("h3").plan.groups)
    count = len(groups)
    with pytest.raises(InputError, match=r"same number of orbitals; got \[2, 3\]"):
        MeasurementPlan(
            groups=groups,
            constant=0.0,
            nelec=(1, 1),
            pricing=Pricing("fci", np.zeros(count), np.zeros(count)),
            shots=np.full(count, 2),
            precision=1.0,
        )


@pytest.mark.parametrize(
    ("means", "variances", "message"),
    [
        ([0.0, 1.0], [1.0], r"variances must have shape \(2,\); got \(1,\)"),
        ([0.0], [-1e-3], r"variances must be at least 0 Hartree²; got -0\.001"),
        ([np.nan], [1.0], "means has 1 entries that are nan"),
    ],
)
def test_bad_pricing_is_refused(means, variances, message):
    with pytest.raises(InputError, match=message):
        Pricing(state="fci", means=np.array(means), variances=np.array(variances))


@pytest.mark.parametrize(
    ("preparation", "message"),
    [
        (QuantumCircuit(4), "must act on 6 qubits.*it has 4"),
        (QuantumCircuit(6, 6), "no classical bits; it has 6"),
        (None, None),
    ],
)
def test_bad_preparations_are_refused(preparation, message, plan):
    if preparation is None:
        measured = QuantumCircuit(6)
        measured.measure_all()
        preparation, message = measured, "must have no measurements"
    with pytest.raises(InputError, match=message):
        plan.pubs(preparation)


def test_costs_of_every_group_before_and_after_a_pass_manager(system):
    """Counted in the circuits themselves, gate by gate; each rotation compiles to two CNOTs."""
    plan = system("lih").plan
    empty = QuantumCircuit(2 * plan.norb)
    manager = generate_preset_pass_manager(0, basis_gates=["rz", "sx", "x", "cx"])

    before = plan.circuit_costs()
    after = plan.circuit_costs(empty, pass_manager=manager)

    assert len(before) == len(after) == plan.n_groups
    for circuit, raw, compiled in zip(plan.circuits(empty), before, after, strict=True):
        gates = dict(circuit.count_ops())
        assert raw.two_qubit_count == gates.get("xx_plus_yy", 0)
        assert compiled.two_qubit_count == 2 * raw.two_qubit_count
        assert compiled.two_qubit_depth >= raw.two_qubit_depth
    assert max(cost.two_qubit_depth for cost in before) == plan.max_two_qubit_depth()
    filled = hartree_fock_state(system("lih").hamiltonian)
    preparation = determinant_circuit(np.roll(filled.orbitals, 1, axis=0), filled.nelec)
    added = sum(gate.operation.num_qubits == 2 for gate in preparation.data)
    with_state = plan.circuit_costs(preparation)
    assert with_state[0].two_qubit_count == before[0].two_qubit_count + added


def test_what_a_fit_misses_is_the_bias(tmp_path):
    """In the pricing state, to rounding; shots make up the rest, and the archive verifies."""
    hamiltonian = ql.from_example("lih")
    state = ql.fci_state(hamiltonian)
    fit = ql.compress(ql.double_factorize(hamiltonian), n_leaves=5)
    plan = ql.plan_measurement(fit, state, precision=0.02)
    assert plan.bias.scope == "fci"
    assert plan.bias.bound == pytest.approx(abs(plan.predicted_energy - state.energy), abs=1e-12)
    assert 1e-6 < plan.bias.bound < 0.02
    assert plan.predicted_error <= 0.02 * (1 + 1e-12)
    alone = np.sqrt(np.sum(plan.variances / plan.shots))
    assert np.hypot(alone, plan.bias.bound) == pytest.approx(0.02, rel=1e-3)
    with pytest.raises(InputError, match="cannot be reached with any number of shots"):
        ql.plan_measurement(fit, state, precision=plan.bias.bound / 2)
    ql.save(tmp_path / "fit.h5", hamiltonian, fit, state, plan)
    assert ql.verify(tmp_path / "fit.h5")
    assert ql.plan_measurement(ql.double_factorize(hamiltonian), state).bias.bound == 0.0

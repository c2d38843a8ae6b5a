# SPDX-License-Identifier: Apache-2.0
"""From Qiskit's results to an energy: exact in the limit, within its error bars before it."""

from dataclasses import replace

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit.library import StatePreparation
from qiskit.primitives import (
    BitArray,
    DataBin,
    PrimitiveResult,
    SamplerPubResult,
    StatevectorSampler,
)
from qiskit.quantum_info import Statevector

from qlowrank.checks import InputError
from qlowrank.circuits import determinant_circuit
from qlowrank.measurement import EnergyEstimate, SelectionOutcome, plan_measurement
from qlowrank.states import hartree_fock_state

EPS = np.finfo(float).eps


def prepared(vector):
    """A circuit that loads a vector over all qubits."""
    circuit = QuantumCircuit(int(np.log2(len(vector))))
    circuit.append(StatePreparation(vector), circuit.qubits)
    return circuit


@pytest.fixture(scope="module", params=["h2 fci", "h3 fci", "h2 hf", "h3 hf"])
def experiment(request, system, block_vector):
    """A plan priced by the state that the circuit prepares, the circuit, and the exact energy."""
    name, method = request.param.split()
    molecule = system(name)
    if method == "fci":
        return molecule.plan, prepared(block_vector(molecule.state)), molecule.state.energy
    state = hartree_fock_state(molecule.hamiltonian)
    plan = plan_measurement(molecule.factorization, state, precision=molecule.plan.precision)
    return plan, determinant_circuit(state.orbitals, state.nelec), state.energy


def outcomes_of(plan, preparation):
    """Values of every group for all bitstrings, and their exact probabilities."""
    norb = plan.norb
    for group, circuit in zip(plan.groups, plan.circuits(preparation), strict=True):
        bits = np.zeros((4**norb, 2 * norb))
        for step in circuit.get_instructions("measure"):
            qubit, bit = circuit.find_bit(step.qubits[0]), circuit.find_bit(step.clbits[0])
            bits[:, bit.index] = np.arange(4**norb) >> qubit.index & 1
        weights = Statevector(circuit.remove_final_measurements(inplace=False)).probabilities()
        yield group.values(bits[:, :norb], bits[:, norb:]), weights


def test_infinitely_many_shots_give_the_energy(experiment):
    """Means and variances from exact probabilities are those that priced the plan."""
    plan, preparation, energy = experiment
    means, variances = [], []
    for values, weights in outcomes_of(plan, preparation):
        means.append(weights @ values)
        variances.append(weights @ (values - means[-1]) ** 2)

    # 4^norb outcomes of a few Hartree, circuits of some tens of gates.
    tolerance = 64 * 4**plan.norb * EPS
    np.testing.assert_allclose(means, plan.pricing.means, rtol=0, atol=tolerance)
    np.testing.assert_allclose(variances, plan.variances, rtol=0, atol=16 * tolerance)
    # The solver's energy is converged to 1e-11 Hartree.
    assert plan.constant + sum(means) == pytest.approx(energy, abs=1e-10)


def test_sampled_energies_lie_within_their_error_bars(experiment, rng):
    plan, preparation, energy = experiment
    result = StatevectorSampler(seed=rng).run(plan.pubs(preparation)).result()

    estimate = plan.estimate(result)

    assert [pub.data.meas.num_shots for pub in result] == plan.shots.tolist()
    # Five standard errors, for the energy and for every sample variance (μ4 its own spread).
    assert abs(estimate.energy - energy) <= 5 * plan.predicted_standard_error
    for found, exact, shots, (values, weights) in zip(
        estimate.variances, plan.variances, plan.shots, outcomes_of(plan, preparation), strict=True
    ):
        fourth = weights @ (values - weights @ values) ** 4
        spread = np.sqrt(max(fourth - exact**2, 0.0) / shots + 2 * (exact / shots) ** 2)
        assert abs(found - exact) <= 5 * spread + 1e-12
    assert not estimate.wrong_sector.any()


def result_of(tables):
    """A sampler's result from tables of bits, bit 0 first, one row a shot."""
    pubs = [
        SamplerPubResult(DataBin(meas=BitArray.from_bool_array(np.array(t, bool), order="little")))
        for t in tables
    ]
    return PrimitiveResult(pubs)


def random_tables(plan, rng):
    """Shots of the plan's own sector, and more than eight bits a row."""
    tables = []
    for shots in plan.shots:
        table = np.zeros((shots, 2 * plan.norb))
        for row in table:
            row[rng.permutation(plan.norb)[: plan.nelec[0]]] = 1
            row[plan.norb + rng.permutation(plan.norb)[: plan.nelec[1]]] = 1
        tables.append(table)
    return tables


@pytest.fixture(scope="module")
def short_plan(system):
    """LiH with a few dozen shots: twelve bits a shot, which is no whole number of bytes."""
    molecule = system("lih")
    shots = 20 + np.arange(molecule.plan.n_groups)
    return replace(molecule.plan, shots=shots)


def test_energy_and_error_from_the_bits(short_plan, rng):
    """Every shot by itself: sample means, and variances with one degree of freedom less."""
    tables = random_tables(short_plan, rng)
    norb = short_plan.norb
    values = [
        [float(group.values(row[:norb], row[norb:])) for row in table]
        for group, table in zip(short_plan.groups, tables, strict=True)
    ]

    estimate = short_plan.estimate(result_of(tables))

    means = [np.mean(v) for v in values]
    variances = [np.var(v, ddof=1) for v in values]
    size = max(np.abs(v).max() for v in values)
    tolerance = 64 * EPS * size
    np.testing.assert_allclose(estimate.means, means, rtol=0, atol=tolerance)
    np.testing.assert_allclose(estimate.variances, variances, rtol=0, atol=4 * size * tolerance)
    assert estimate.energy == pytest.approx(short_plan.constant + sum(means), rel=1e-13)
    expected = np.sqrt(sum(np.array(variances) / short_plan.shots))
    assert estimate.sample_standard_error == pytest.approx(expected, rel=1e-12)
    assert not estimate.wrong_sector.any()


def test_wrong_sectors_are_counted(short_plan, rng):
    """Flipped bits, and electrons that changed their spin; both are kept in the means."""
    tables = random_tables(short_plan, rng)
    norb = short_plan.norb
    tables[0][:5, 0] = 1 - tables[0][:5, 0]  # one alpha electron more or less
    tables[2][3] = 0
    tables[3][:7, :norb], tables[3][:7, norb:] = 1, 0

    estimate = short_plan.estimate(result_of(tables))

    expected = np.zeros(short_plan.n_groups)
    expected[[0, 2, 3]] = 5, 1, 7
    np.testing.assert_array_equal(estimate.wrong_sector, expected)
    assert estimate.wrong_sector.dtype == np.int64
    values = short_plan.groups[3].values(tables[3][:, :norb], tables[3][:, norb:])
    assert estimate.means[3] == pytest.approx(values.mean(), rel=1e-13)


def test_swapped_spins_are_a_wrong_sector(system):
    """(1, 2) electrons are not (2, 1): alpha is the right half of a bitstring."""
    plan = system("h3").plan
    right, wrong = [1, 1, 0, 1, 0, 0], [1, 0, 0, 1, 1, 0]
    assert BitArray.from_bool_array([right], order="little").get_bitstrings() == ["001" + "011"]
    for row, expected in ((right, 0 * plan.shots), (wrong, plan.shots)):
        tables = [np.tile(row, (shots, 1)) for shots in plan.shots]
        estimate = plan.estimate(result_of(tables))
        np.testing.assert_array_equal(estimate.wrong_sector, expected)
        # A pairwise mean of m equal numbers is off by at most log2(m) eps of them.
        rounding = np.log2(plan.shots) * np.finfo(float).eps * np.abs(estimate.means)
        assert estimate.sample_standard_error <= np.linalg.norm(rounding)
        # All shots of a group agree; what was predicted counts as ν shots more.
        worth = 4 * (plan.kurtoses - 1)
        left = worth * plan.variances / (worth + plan.shots - 1)
        assert estimate.standard_error == pytest.approx(np.sqrt(np.sum(left / plan.shots)))


def test_results_that_do_not_fit_are_refused(short_plan, rng):
    tables = random_tables(short_plan, rng)
    good = list(result_of(tables))
    count = len(good)

    with pytest.raises(InputError, match=rf"{count} groups and the result has {count - 1}"):
        short_plan.estimate(good[1:])
    with pytest.raises(InputError, match=r"Result 0 has 21 shots.*asked for 20.*in the plan's ord"):
        short_plan.estimate(good[::-1][-2:-1] + good[1:])
    with pytest.raises(InputError, match="Result 0 has 10 bits; 12 were measured"):
        short_plan.estimate(list(result_of([tables[0][:, :10]])) + good[1:])
    with pytest.raises(InputError, match="Result 3 has 10 shots"):
        short_plan.estimate([*good[:3], *result_of([tables[3][:10]]), *good[4:]])
    with pytest.raises(InputError, match=r"got int. Pass job.result\(\)"):
        short_plan.estimate(3)
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    job = StatevectorSampler().run([circuit], shots=2)
    with pytest.raises(InputError, match=r"got PrimitiveJob. Pass job.result\(\)"):
        short_plan.estimate(job)
    job.result()


def test_a_foreign_register_is_refused(system):
    """A circuit measured by the caller, into a register of another name."""
    plan = system("h2").plan
    circuit = QuantumCircuit(4)
    circuit.add_register(ClassicalRegister(4, "c"))
    circuit.measure(range(4), range(4))
    pubs = [(circuit, None, int(shots)) for shots in plan.shots]
    result = StatevectorSampler().run(pubs).result()
    with pytest.raises(InputError, match=r"Result 0 has no classical register 'meas'.*plan.pubs"):
        plan.estimate(result)
    with pytest.raises(InputError, match="Result 0 has no classical register 'meas'"):
        plan.estimate(["00", "01", "10", "11"])


def test_record(rng, short_plan):
    estimate = short_plan.estimate(result_of(random_tables(short_plan, rng)))
    for array in (estimate.means, estimate.variances, estimate.wrong_sector):
        assert not array.flags.writeable
    assert estimate.total_shots == short_plan.total_shots
    header, *rows, last = str(estimate).splitlines()
    assert header.split()[:4] == ["group", "shots", "left", "out"]
    assert last == repr(estimate)
    table = np.array([row.split() for row in rows], float)
    np.testing.assert_array_equal(table[:, 1], estimate.shots)
    np.testing.assert_allclose(table[:, 4], estimate.means, atol=1e-8)
    np.testing.assert_allclose((table[:, 5] ** 2).sum(), estimate.standard_error**2, rtol=1e-2)
    np.testing.assert_allclose(table[:, 6] ** 2, estimate.variances / estimate.shots, rtol=1e-2)
    two, one, all_shots = np.zeros(2), np.zeros(1), SelectionOutcome("all", np.zeros(2))
    with pytest.raises(InputError, match=r"wrong_sector must have shape \(2,\); got \(1,\)"):
        EnergyEstimate(0.0, 0.0, two, two, one, two, all_shots)
    with pytest.raises(InputError, match=r"shots must have shape \(2,\); got \(1,\)"):
        EnergyEstimate(0.0, 0.0, two, two, two, one, all_shots)
    with pytest.raises(InputError, match="shots must be whole numbers, at least 0; got -1 to -1"):
        EnergyEstimate(0.0, 0.0, two, two, two, two - 1, all_shots)
    with pytest.raises(InputError, match=r"discarded must have shape \(1,\); got \(2,\)"):
        EnergyEstimate(0.0, 0.0, one, one, one, one, all_shots)

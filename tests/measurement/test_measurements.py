# SPDX-License-Identifier: Apache-2.0
"""Counts come in parts, in any order; what does not belong to the plan is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.primitives import (
    BackendSamplerV2,
    PrimitiveResult,
    SamplerPubResult,
    StatevectorSampler,
)
from qiskit.transpiler import generate_preset_pass_manager

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.circuits import determinant_circuit
from qlowrank.measurement import Measurements, plan_measurement, simulate_counts
from qlowrank.measurement.outcomes import Outcomes
from qlowrank.states import hartree_fock_state


@pytest.fixture(scope="module")
def run(system):
    """A plan of a hundred shots or so, its preparation and its result."""
    molecule = system("h3")
    state = hartree_fock_state(molecule.hamiltonian)
    plan = plan_measurement(molecule.factorization, molecule.state, precision=0.05)
    preparation = determinant_circuit(state.orbitals, state.nelec)
    return plan, preparation, StatevectorSampler(seed=3).run(plan.pubs(preparation)).result()


def unnamed(result):
    """The same result from a sampler that drops the metadata of the circuits."""
    return PrimitiveResult([SamplerPubResult(pub.data) for pub in result])


def same(one, other):
    """Whether two measurements hold the same counts."""
    names = ("groups", "bits", "counts")
    return one.circuits == other.circuits and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in names
    )


def test_parts_in_any_order_are_the_whole(run, rng):
    plan, _, result = run
    whole = Measurements.empty(plan).add(result)
    parts = Measurements.empty(plan)
    for position in rng.permutation(plan.n_groups):
        parts = parts.add([result[position]])

    assert same(parts, whole)
    assert whole.shots.tolist() == plan.shots.tolist()
    assert whole.total_shots == plan.total_shots
    assert not whole.remaining(plan).any()
    assert plan.estimate(parts).energy == plan.estimate(result).energy
    assert same(Measurements.empty(plan).add(unnamed(result), groups=range(plan.n_groups)), whole)


def test_results_out_of_order_are_put_in_order(run):
    """A result names its group; without names, the order is taken for the plan's."""
    plan, _, result = run
    backwards = PrimitiveResult(list(result)[::-1])
    assert plan.estimate(backwards).means.tolist() == plan.estimate(result).means.tolist()
    assert plan.estimate(unnamed(result)).means.tolist() == plan.estimate(result).means.tolist()
    with pytest.raises(InputError, match=r"Result 0 has \d+ shots, and the plan asked for \d+"):
        plan.estimate(unnamed(backwards))
    message = r"Result 0 measured group \d, and groups says 0. The results are in another order"
    with pytest.raises(InputError, match=message):
        Measurements.empty(plan).add(backwards, groups=range(plan.n_groups))


@st.composite
def shots_of_groups(draw):
    """Groups and outcomes of single shots, three bits for each spin."""
    count = draw(st.integers(0, 40))
    groups = draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    codes = draw(st.lists(st.integers(0, 63), min_size=count, max_size=count))
    bits = (np.array(codes, dtype=int)[:, None] >> np.arange(6) & 1).astype(bool)
    return np.array(groups, dtype=int), bits, draw(st.integers(0, count))


@given(shots_of_groups())
def test_counts_are_those_of_the_shots(shots):
    """Split anywhere: every outcome once, with all of its shots, sorted."""
    groups, bits, cut = shots
    none = np.zeros(0, int)
    measured = Measurements("x", 5, none, np.zeros((0, 6), bool), none)
    for part in (slice(cut), slice(cut, None)):
        found = [Outcomes(None, None, row[None], np.ones(1, int)) for row in bits[part]]
        measured = measured.including(found, groups[part].tolist())

    expected = {}
    for group, row in zip(groups.tolist(), bits.tolist(), strict=True):
        expected[group, tuple(row)] = expected.get((group, tuple(row)), 0) + 1
    keys = zip(measured.groups.tolist(), map(tuple, measured.bits.tolist()), strict=True)
    assert list(zip(keys, measured.counts.tolist(), strict=True)) == sorted(expected.items())
    assert measured.shots.tolist() == [np.sum(groups == group) for group in range(5)]
    for group in range(5):
        rows, counts = measured.of_group(group)
        assert len(rows) == len(counts)
        assert counts.sum() == measured.shots[group]


def test_a_run_stops_and_resumes_from_the_archive(run, tmp_path, monkeypatch):
    """Two circuits a job, half the shots in the first round of jobs, a file in between."""
    plan, preparation, _ = run
    half = plan.with_shots(np.maximum(plan.shots // 2, 2))
    path, jobs = tmp_path / "run.h5", 0
    ql.save(path, plan, Measurements.empty(plan))
    for wanted in (half, plan):
        while True:
            study = ql.load(path)  # as a new process would
            pubs = study.measurements.remaining_pubs(wanted, preparation)
            if not pubs:
                break
            result = StatevectorSampler(seed=jobs).run(pubs[:2]).result()
            ql.save(path, study.plan, study.measurements.add(result), overwrite=True)
            jobs += 1
    study = ql.load(path)

    assert jobs >= 2 * (plan.n_groups // 2)
    assert (study.measurements.shots == np.maximum(plan.shots, half.shots)).all()
    assert study.plan.estimate(study.measurements).total_shots == study.measurements.total_shots
    assert ql.verify(path).passed


def test_pubs_only_for_what_is_lacking(run):
    plan, preparation, result = run
    measured = Measurements.empty(plan).add(list(result)[1:3])
    more = replace(plan, shots=plan.shots + np.eye(plan.n_groups, dtype=int)[2] * 5)
    pubs = measured.remaining_pubs(more, preparation)

    assert [shots for *_, shots in pubs] == [plan.shots[0], 5, *plan.shots[3:]]
    assert [c.metadata["qlowrank_group"] for c, *_ in pubs] == [0, *range(2, plan.n_groups)]
    full = measured.add(StatevectorSampler(seed=1).run(pubs).result())
    assert full.remaining_pubs(more, preparation) == []
    manager = generate_preset_pass_manager(0, basis_gates=["rz", "sx", "x", "cx"])
    assert full.remaining_pubs(more, preparation, pass_manager=manager) == []


def test_more_shots_than_planned_all_count(run):
    plan, preparation, result = run
    extra = StatevectorSampler(seed=9).run(plan.pubs(preparation)[:1]).result()
    measured = Measurements.empty(plan).add(result).add(extra)
    assert plan.estimate(measured).shots.tolist() == measured.shots.tolist()
    assert measured.shots[0] == 2 * plan.shots[0]


def samplers():
    """Samplers whose results name their circuits."""
    yield "statevector", lambda: StatevectorSampler(seed=1)

    def aer():
        return pytest.importorskip("qiskit_aer.primitives").SamplerV2(seed=1)

    def backend():
        simulator = pytest.importorskip("qiskit_aer").AerSimulator(seed_simulator=1)
        return BackendSamplerV2(backend=simulator)

    yield "aer", aer
    yield "backend", backend


@pytest.mark.parametrize("make", [make for _, make in samplers()], ids=[n for n, _ in samplers()])
def test_samplers_carry_the_names(make, system):
    """Through a pass manager as well."""
    molecule = system("h2")
    state = hartree_fock_state(molecule.hamiltonian)
    plan = plan_measurement(molecule.factorization, molecule.state, precision=0.05)
    preparation = determinant_circuit(state.orbitals, state.nelec)
    manager = generate_preset_pass_manager(1, basis_gates=["rz", "sx", "x", "cx"])
    result = make().run(plan.pubs(preparation, pass_manager=manager)[::-1]).result()

    measured = Measurements.empty(plan).add(result)

    assert measured.shots.tolist() == plan.shots.tolist()
    assert not plan.estimate(measured).wrong_sector.any()


def test_fingerprints_are_those_of_the_circuits(run, system):
    """Shots, precision and state do not matter; frames and electrons do."""
    plan, *_ = run
    molecule = system("h3")
    assert plan.circuits_id == molecule.plan.circuits_id
    assert len(plan.circuits_id) == 16
    turned = np.array(plan.groups[1].frame)
    turned[:, 0] *= -1
    groups = list(plan.groups)
    groups[1] = replace(groups[1], frame=turned)
    others = [
        replace(plan, nelec=(1, 2)),
        replace(plan, groups=tuple(groups)),
        system("h2").plan,
    ]
    assert len({plan.circuits_id, *(other.circuits_id for other in others)}) == 4


def test_counts_of_another_plan_are_refused(run, system):
    plan, preparation, result = run
    other = replace(plan, nelec=(1, 2))
    measured = Measurements.empty(other)
    with pytest.raises(InputError, match=rf"Result 0 belongs to the circuits {plan.circuits_id};"):
        measured.add(result)
    message = rf"counts of the circuits {other.circuits_id}, and .* circuits {plan.circuits_id}"
    state, rng = system("h3").state, np.random.default_rng()
    for use in (
        lambda: measured.remaining(plan),
        lambda: measured.remaining_pubs(plan, preparation),
        lambda: plan.estimate(measured),
        lambda: simulate_counts(plan, state, rng=rng, measured=measured),
    ):
        with pytest.raises(InputError, match=message):
            use()


def test_incomplete_measurements_are_refused(run):
    """Fewer results, or fewer shots; what to do stands in the message, and works."""
    plan, preparation, result = run
    measured = Measurements.empty(plan).add(list(result)[:1])
    count = plan.n_groups
    message = (
        rf"{count - 1} of {count} groups lack shots \(group 1 lacks {plan.shots[1]} of "
        rf"{plan.shots[1]}, 2 lacks .* and {count - 6} more\).*remaining_pubs.*with_shots"
    )
    for part in (measured, list(result)[:1]):
        with pytest.raises(InputError, match=message):
            plan.estimate(part)
    few = [(c, None, max(n // 2, 2)) for c, _, n in plan.pubs(preparation)]
    result = StatevectorSampler(seed=5).run(few).result()
    with pytest.raises(InputError, match=r"groups lack shots \(group 0 lacks \d+ of \d+"):
        plan.estimate(result)
    measured = Measurements.empty(plan).add(result)
    accepted = plan.with_shots(measured.shots)
    estimate = accepted.estimate(measured)
    assert estimate.shots.tolist() == [n for *_, n in few]
    assert accepted.precision == pytest.approx(
        np.sqrt(np.sum(plan.variances / measured.shots)), rel=1e-11
    )
    assert accepted.precision > plan.precision


def test_foreign_results_are_refused(run):
    plan, _, result = run
    empty = Measurements.empty(plan)
    with pytest.raises(InputError, match=r"does not say which group it measured.*Pass groups="):
        empty.add(unnamed(result))
    with pytest.raises(InputError, match=r"groups must name the group of each .* got 1 numbers"):
        empty.add(result, groups=[0])
    with pytest.raises(InputError, match=f"Result 0 has group 99; there are {plan.n_groups}"):
        empty.add(unnamed(result)[:1], groups=[99])
    with pytest.raises(InputError, match=r"groups must be a whole number; got 0\.5"):
        empty.add(unnamed(result)[:1], groups=[0.5])
    with pytest.raises(InputError, match=r"got int. Pass job.result\(\)"):
        empty.add(3)
    for n_bits, register, message in (
        (6, "c", "Result 0 has no classical register 'meas'; run the circuits of plan.pubs"),
        (4, "meas", "Result 0 has 4 bits; 6 were measured"),
        (8, "meas", "Result 0 has 8 bits; 6 were measured"),
    ):
        circuit = QuantumCircuit(n_bits)
        circuit.add_register(ClassicalRegister(n_bits, register))
        circuit.measure(range(n_bits), range(n_bits))
        foreign = StatevectorSampler().run([(circuit, None, 5)]).result()
        with pytest.raises(InputError, match=message):
            empty.add(foreign, groups=[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bits": np.zeros((2, 4))}, r"bits must be booleans.*got float64 of shape \(2, 4\)"),
        ({"bits": np.zeros((2, 3), bool)}, "bits must be booleans, two for each orbital"),
        ({"counts": np.ones(3)}, r"counts must have shape \(2,\); got \(3,\)"),
        ({"counts": np.array([1, -1])}, "counts must be whole numbers, at least 0"),
        ({"groups": np.array([1, 0])}, "groups must ascend and stay below 3"),
        ({"groups": np.array([0, 3])}, "groups must ascend and stay below 3"),
    ],
)
def test_inconsistent_records_are_refused(change, message):
    good = Measurements("x", 3, np.array([0, 2]), np.zeros((2, 4), bool), np.array([5, 1]))
    with pytest.raises(InputError, match=message):
        replace(good, **change)
    assert not good.bits.flags.writeable
    assert repr(good) == "Measurements(3 groups, 6 shots, 2 distinct outcomes)"


def test_drawn_counts_are_those_of_the_state(system, rng):
    """Only what lacks is drawn, and the energy is right."""
    molecule = system("lih")
    half = molecule.plan.with_shots(np.maximum(molecule.plan.shots // 2, 2))
    first = simulate_counts(half, molecule.state, rng=rng)
    measured = simulate_counts(molecule.plan, molecule.state, rng=rng, measured=first)

    assert first.shots.tolist() == half.shots.tolist()
    assert measured.shots.tolist() == molecule.plan.shots.tolist()
    estimate = molecule.plan.estimate(measured)
    # five standard errors: one seed in 1.7 million
    assert abs(estimate.energy - molecule.state.energy) < 5 * molecule.plan.predicted_standard_error
    assert not estimate.wrong_sector.any()
    with pytest.raises(InputError, match=r"state has 2 orbitals .* plan has 6"):
        simulate_counts(molecule.plan, system("h2").state, rng=rng)

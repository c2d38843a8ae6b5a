# SPDX-License-Identifier: Apache-2.0
"""What goes in comes out, to the last bit and with the same types."""

import dataclasses
import json
from math import comb

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.archive import RunRecord, Study
from qlowrank.archive.datasets import Store
from qlowrank.archive.forms import NO_LABEL, form_of
from qlowrank.archive.kinds import KINDS
from qlowrank.checks import InputError
from qlowrank.factorization import FactorizationStatus
from qlowrank.integrals.record import Constants, Molecule, Reference, Source
from qlowrank.lowrank import Truncation
from qlowrank.measurement import (
    Bias,
    EnergyEstimate,
    FragmentStatus,
    MeasurementPlan,
    Pricing,
    SelectionOutcome,
    SimulatedExperiments,
)

numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
integers = st.integers(-(2**63), 2**63 - 1)
sizes = st.integers(0, 3)


def arrays(*shape):
    """Arrays of any finite numbers, signed zeros and subnormals among them."""
    count = int(np.prod(shape))
    return st.lists(numbers, min_size=count, max_size=count).map(
        lambda values: np.array(values, dtype=float).reshape(shape)
    )


def symmetric(norb):
    return arrays(norb, norb).map(lambda a: np.tril(a) + np.tril(a, -1).T)


molecules = st.none() | st.builds(Molecule, texts, texts, texts, integers, integers)
references = st.lists(st.builds(Reference, texts, numbers), max_size=3).map(tuple)
sources = st.builds(Source, texts, texts, molecules, references, texts)
constants = st.builds(Constants, numbers, numbers, numbers)


@st.composite
def electrons(draw, norb):
    return (draw(st.integers(0, norb)), draw(st.integers(0, norb)))


@st.composite
def hamiltonians(draw):
    norb, rank = draw(sizes), draw(sizes)
    return ql.Hamiltonian(
        constants=draw(constants),
        one_body=draw(symmetric(norb)),
        kappa=draw(symmetric(norb)),
        factors=draw(arrays(rank, norb, norb)),
        nelec=draw(electrons(norb)),
        truncation=Truncation(draw(integers), draw(numbers), draw(numbers), draw(numbers)),
        source=draw(sources),
    )


@st.composite
def factorizations(draw):
    norb, n_leaves = draw(sizes), draw(sizes)
    return ql.DoubleFactorization(
        constants=draw(constants),
        one_body=draw(symmetric(norb)),
        eigenvalues=draw(arrays(n_leaves, norb)),
        leaves=draw(arrays(n_leaves, norb, norb)),
        nelec=draw(electrons(norb)),
        status=FactorizationStatus(draw(texts), draw(numbers), draw(numbers), draw(numbers)),
        source=draw(sources),
    )


@st.composite
def frames(draw, norb):
    """Orthogonal matrices that are so to the last bit."""
    signs = draw(st.lists(st.sampled_from([1.0, -1.0]), min_size=norb, max_size=norb))
    return np.eye(norb)[list(draw(st.permutations(range(norb))))] * np.array(signs)


@st.composite
def determinants(draw):
    norb = draw(sizes)
    return ql.DeterminantState(draw(frames(norb)), draw(electrons(norb)), draw(numbers))


@st.composite
def cisd_states(draw):
    """Amplitudes of any shape, none where nothing is occupied or nothing is empty."""
    determinant = draw(determinants())
    occupied = determinant.nelec
    virtual = tuple(determinant.norb - n for n in occupied)

    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def same(o, v):
        c = 0.01 * rng.standard_normal((o, o, v, v))
        c -= c.transpose(1, 0, 2, 3)
        return c - c.transpose(0, 1, 3, 2)

    return ql.CISDState(
        determinant=determinant,
        singles=tuple(rng.uniform(-0.01, 0.01, ov) for ov in zip(occupied, virtual, strict=True)),
        doubles_same=tuple(same(o, v) for o, v in zip(occupied, virtual, strict=True)),
        doubles_opposite=rng.uniform(-0.01, 0.01, (*occupied, *virtual)),
        energy=draw(numbers),
    )


@st.composite
def fci_states(draw):
    norb = draw(sizes)
    nelec = draw(electrons(norb))
    shape = tuple(comb(norb, n) for n in nelec)
    vector = np.zeros(shape)
    vector.flat[draw(st.integers(0, vector.size - 1))] = draw(st.sampled_from([1.0, -1.0]))
    return ql.FCIState(vector, norb, nelec, draw(numbers))


@st.composite
def plans(draw):
    norb, count = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return MeasurementPlan(
        groups=tuple(
            ql.DiagonalOperator(
                draw(frames(norb)),
                draw(arrays(norb)),
                draw(symmetric(norb)),
                draw(arrays(norb, norb)),
            )
            for _ in range(count)
        ),
        constant=draw(numbers),
        nelec=draw(electrons(norb)),
        pricing=Pricing(
            draw(texts),
            draw(arrays(count)),
            abs(draw(arrays(count))),
            draw(numbers),
            draw(whole_numbers(count)),
        ),
        shots=2 + draw(whole_numbers(count)),
        precision=draw(st.floats(min_value=1e-200, max_value=1e200)),
        fragments=FragmentStatus(draw(texts), draw(st.booleans()), draw(integers), draw(texts)),
        bias=Bias(draw(st.floats(min_value=0, max_value=1e-201)), draw(texts), draw(sizes)),
    )


def whole_numbers(count):
    """Numbers of shots."""
    return st.lists(st.integers(0, 2**53), min_size=count, max_size=count).map(
        lambda values: np.array(values, dtype=np.int64)
    )


@st.composite
def measurements(draw):
    count, norb = draw(sizes), draw(sizes)
    bits = draw(st.lists(st.booleans(), min_size=2 * norb * count, max_size=2 * norb * count))
    groups = draw(st.lists(st.integers(0, 8), min_size=count, max_size=count))
    return ql.Measurements(
        draw(texts),
        9,
        np.array(sorted(groups), dtype=np.int64),
        np.array(bits, dtype=bool).reshape(count, 2 * norb),
        draw(whole_numbers(count)),
    )


@st.composite
def estimates(draw):
    count = draw(sizes)
    wrong, shots, discarded = (draw(whole_numbers(count)) for _ in range(3))
    selection = SelectionOutcome(draw(texts), discarded, draw(numbers), draw(numbers))
    means, variances = draw(arrays(count)), draw(arrays(count))
    return EnergyEstimate(draw(numbers), draw(numbers), means, variances, wrong, shots, selection)


experiments = sizes.flatmap(
    lambda count: st.builds(SimulatedExperiments, arrays(count), arrays(count))
)
runs = st.builds(
    RunRecord,
    texts,
    st.dictionaries(texts, numbers | texts | st.none()).map(json.dumps),
    st.none() | st.integers(0, 2**63 - 1),
)


@settings(max_examples=30)
@given(
    st.lists(
        st.sampled_from(
            [
                hamiltonians(),
                factorizations(),
                determinants(),
                cisd_states(),
                fci_states(),
                plans(),
                measurements(),
                estimates(),
                experiments,
                runs,
            ]
        ),
        min_size=1,
        max_size=3,
        unique_by=id,
    ).flatmap(lambda chosen: st.tuples(*chosen))
)
def test_any_records_come_back(same, tmp_path_factory, records):
    """Of any size, zero included, in any order, any subset."""
    path = tmp_path_factory.mktemp("any") / "a.h5"
    ql.save(path, *records)

    back = ql.load(path)

    assert len(back) == len(records)
    for record in back:
        (original,) = (r for r in records if type(r) is type(record))
        same(original, record)


def test_a_whole_study_comes_back(archive, records, same):
    study = ql.load(archive)

    assert study.kinds == tuple(KINDS)
    for kind, record in records.items():
        same(record, study[kind])


def test_numbers_of_other_types_are_stored_as_the_format_has_them(tmp_path):
    """A float32, an int32 and a NumPy integer are the numbers they are."""
    state = ql.FCIState(
        np.ones((1, 1), np.float32), np.int32(1), (np.int64(1), 1), np.float32(-0.5)
    )
    ql.save(tmp_path / "a.h5", state)
    with h5py.File(tmp_path / "a.h5") as file:
        types = {name: file[f"fci_state/{name}"].dtype.str for name in file["fci_state"]}

    back = ql.load(tmp_path / "a.h5").state

    assert types == {"vector": "<f8", "norb": "<i8", "nelec": "<i8", "energy": "<f8"}
    assert (back.norb, back.nelec, back.energy) == (1, (1, 1), -0.5)
    assert type(back.norb) is int


@pytest.mark.parametrize("kind", KINDS)
def test_every_dataset_is_labelled(archive, kind):
    """As many axes as dimensions, and a unit; texts have the unit none."""
    found = []

    def look(name, item):
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            axes = [axis for axis in item.attrs["axes"].split(",") if axis]
            found.append(name)
            assert len(axes) == item.ndim, name
            assert (item.attrs["units"] == "none") == (item.dtype.kind == "S"), name

    with h5py.File(archive) as file:
        file[kind].visititems(look)
    assert found


def test_foreign_records_are_refused(tmp_path, records):
    with pytest.raises(InputError, match="cannot hold a dict; it can hold Hamiltonian, Double"):
        ql.save(tmp_path / "a.h5", records["hamiltonian"], {"a": 1})
    assert not list(tmp_path.iterdir())


def test_two_of_a_kind_are_refused(tmp_path, records):
    with pytest.raises(InputError, match="at most one FCIState; got two"):
        ql.save(tmp_path / "a.h5", records["fci_state"], records["fci_state"])


def test_nothing_is_refused(tmp_path):
    with pytest.raises(InputError, match="nothing to save; pass at least one record"):
        ql.save(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("energy", float("nan"), "fci_state/energy: it must be finite; got nan"),
        ("energy", "low", "fci_state/energy: it must be a real number; got 'low'"),
        ("energy", None, "fci_state/energy: it must be a real number"),
    ],
)
def test_unusable_values_are_refused_and_leave_no_file(tmp_path, records, field, value, message):
    state = dataclasses.replace(records["fci_state"], **{field: value})
    with pytest.raises(InputError, match=message):
        ql.save(tmp_path / "a.h5", state)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "message"), [("a\0b", "run/command: a text must not contain NUL"), (7, "a text is")]
)
def test_texts_that_hdf5_cannot_hold_are_refused(tmp_path, command, message):
    with pytest.raises(InputError, match=message):
        ql.save(tmp_path / "a.h5", RunRecord(command, "{}", None))


@pytest.mark.parametrize("dtype", [complex, object, np.uint64])
def test_arrays_of_types_outside_the_format_are_refused(dtype):
    with pytest.raises(InputError, match=r"x/y: arrays of type .* cannot be saved; use float64"):
        list(form_of(np.ndarray).entries("x/y", np.zeros(1, dtype), NO_LABEL))


def test_groups_of_different_sizes_are_refused():
    """One stack a field needs one shape."""

    def group(norb):
        nothing = np.zeros((norb, norb))
        return ql.DiagonalOperator(np.eye(norb), np.zeros(norb), nothing, nothing)

    groups = (group(1), group(2))
    with pytest.raises(InputError, match="plan/groups/frame: all must have one shape"):
        list(form_of(tuple[ql.DiagonalOperator, ...]).entries("plan/groups", groups, NO_LABEL))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [("[1]", "must be a JSON object"), ("{", "must be a JSON object"), (None, "must be a JSON")],
)
def test_parameters_are_a_json_object(parameters, message):
    with pytest.raises(InputError, match=message):
        RunRecord("run", parameters, None)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_fit_the_format(seed):
    with pytest.raises(InputError, match="seed must be from 0 to 9223372036854775807; got"):
        RunRecord("run", "{}", seed)


@pytest.mark.parametrize("hint", [complex, dict[str, int], tuple[int, str], int | str, list[int]])
def test_types_without_a_form_are_an_error_of_the_developer(hint):
    with pytest.raises(TypeError, match="The archive has no form for"):
        form_of(hint)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (bool, True),
        (tuple[str, ...], ("a", "", "größer")),
        (tuple[float, ...], ()),
        (tuple[bool, bool], (True, False)),
        (int | None, None),
        (np.ndarray, np.array([[True, False]])),
        (tuple[np.ndarray, ...], ()),
        (tuple[np.ndarray, ...], (np.zeros((2, 0)), np.arange(3))),
        (tuple[Reference, ...], ()),
    ],
)
def test_forms_that_a_new_kind_may_need(hint, value, same):
    for array in (value,) if hint is np.ndarray else value if isinstance(value, tuple) else ():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    form = form_of(hint)
    store = Store({entry.path: entry.data for entry in form.entries("x", value, NO_LABEL)})

    same(value, form.value(store, "x"))


def test_a_study_lists_what_it_holds(archive, records):
    study = ql.load(archive)

    assert repr(study) == f"Study({archive}: {', '.join(KINDS)})"
    assert len(study) == len(study.records) == len(records)
    assert isinstance(study, Study)
    assert study["hamiltonian"] is study.hamiltonian is study.records[0]
    assert [type(record) for record in study] == list(KINDS.values())
    assert study.state is study["fci_state"]
    assert study.run == records["run"]
    assert "state" in study
    assert "wavelets" not in study
    assert study.provenance["formula"] == "H2"
    assert study.provenance["parameters"] == '{"state": "fci"}'


def test_the_best_state_is_the_state(tmp_path, records):
    kinds = ("determinant_state", "cisd_state", "fci_state")
    for count, best in enumerate(kinds, 1):
        path = tmp_path / f"{count}.h5"
        ql.save(path, *(records[kind] for kind in kinds[:count]))
        assert type(ql.load(path).state) is KINDS[best]


@pytest.mark.parametrize(
    "name",
    ["hamiltonian", "factorization", "state", "plan", "measurements", "estimate", "experiments"],
)
def test_what_is_not_held_is_named(tmp_path, records, name):
    ql.save(tmp_path / "a.h5", records["run"])
    study = ql.load(tmp_path / "a.h5")

    assert name not in study
    with pytest.raises(InputError, match=f"a.h5 holds no {name}; it holds run."):
        getattr(study, name)


def test_records_introduce_themselves_in_one_line(records):
    """Nobody wants a page of numbers when a name is typed at the prompt."""
    for record in records.values():
        shown = repr(record)
        assert shown.startswith(type(record).__name__)
        assert "\n" not in shown
        assert "array(" not in shown
        assert len(shown) < 200

# SPDX-License-Identifier: Apache-2.0
"""What the bytes of an archive are: labels, chunks, hashes, order; and that they are always so."""

import doctest
import hashlib
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.archive import provenance
from qlowrank.archive.datasets import chunk_shape
from qlowrank.archive.format import CHUNK_BYTES, SCHEMA_VERSION
from qlowrank.archive.kinds import KINDS

GOLDEN = Path(__file__).parent / "golden" / "v1.h5"


def datasets(file):
    """All datasets by path."""
    found = {}
    file.visititems(
        lambda name, item: found.update({name: item} if isinstance(item, h5py.Dataset) else {})
    )
    return found


def run(script, *arguments, **options):
    """Run Python in a process of its own and return what it prints."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    ).stdout


def test_the_root_says_where_it_came_from(archive, records):
    with h5py.File(archive) as file:
        attributes = dict(file.attrs)
        kinds = set(file)

    source = records["hamiltonian"].source
    assert kinds == set(KINDS)
    assert attributes["format"] == "qlowrank"
    assert attributes["schema_version"] == SCHEMA_VERSION
    assert np.issubdtype(type(attributes["schema_version"]), np.integer)
    assert attributes["creator"] == "qlowrank"
    assert attributes["creator_version"] == ql.__version__
    assert attributes["version_numpy"] == np.__version__
    assert attributes["version_h5py"] == h5py.__version__
    assert attributes["version_hdf5"] == h5py.version.hdf5_version
    assert {"version_scipy", "version_pyscf", "version_qiskit", "version_openfermion"} <= set(
        attributes
    )
    for name in ("formula", "geometry", "basis", "charge", "spin"):
        assert attributes[name] == getattr(source.molecule, name)
    assert attributes["input_sha256"] == source.digest
    assert json.loads(attributes["parameters"]) == {"state": "fci"}
    assert attributes["seed"] == 1
    assert not [name for name in attributes if "time" in name or "date" in name]


def test_without_a_molecule_or_a_seed_the_root_says_nothing_of_them(tmp_path):
    hamiltonian = ql.from_integrals(0.0, [[-1.0]], [[[[0.5]]]], (1, 1))
    run_record = ql.archive.RunRecord("factorize", "{}", None)
    ql.save(tmp_path / "a.h5", ql.double_factorize(hamiltonian), run_record)
    with h5py.File(tmp_path / "a.h5") as file:
        attributes = dict(file.attrs)

    assert attributes["source_origin"] == "arrays"
    assert not {"formula", "basis", "seed"} & set(attributes)


def test_packages_that_are_not_there_are_said_not_to_be(tmp_path, records, monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package"))
    ql.save(tmp_path / "a.h5", records["run"])

    attributes = ql.load(tmp_path / "a.h5").provenance
    assert attributes["version_no-such-package"] == "not installed"
    assert attributes["version_numpy"] == np.__version__


def test_numbers_and_texts_have_the_types_of_the_format(archive):
    with h5py.File(archive) as file:
        for name, dataset in datasets(file).items():
            kind = dataset.dtype
            if kind.kind == "S":
                assert h5py.check_string_dtype(kind).encoding == "utf-8", name
                assert h5py.check_string_dtype(kind).length == kind.itemsize, name
            else:
                assert kind.str in ("<f8", "<i8", "|u1"), name
        assert file["plan/shots"].dtype.str == "<i8"
        assert file["plan/fragments/converged"].dtype.str == "|u1"
        assert file["hamiltonian/source/name"].asstr()[()] == "h2"


def test_arrays_go_through_the_filters_and_the_rest_does_not(archive):
    with h5py.File(archive) as file:
        for name, dataset in datasets(file).items():
            filtered = dataset.shape not in (None, ()) and dataset.size > 0
            assert (dataset.chunks is not None) == filtered, name
            if filtered:
                assert dataset.shuffle, name
                assert dataset.fletcher32, name
                assert (dataset.compression, dataset.compression_opts) == ("gzip", 4), name


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=4).map(tuple),
    st.sampled_from([1, 8, 3 * 2**20]),
)
def test_chunks_are_about_one_mebibyte_of_whole_rows(shape, itemsize):
    chunks = chunk_shape(shape, itemsize)

    assert all(1 <= chunk <= length for chunk, length in zip(chunks, shape, strict=True))
    assert int(np.prod(chunks)) * itemsize <= max(CHUNK_BYTES, itemsize)
    # a leading axis is cut no finer than need be: trailing axes are whole before it has 2 rows
    for axis in range(1, len(shape)):
        assert chunks[axis - 1] == 1 or chunks[axis] == shape[axis]


def test_groups_are_stacked(archive, records):
    plan = records["plan"]
    with h5py.File(archive) as file:
        stacked = file["plan/groups"]
        assert set(stacked) == {"frame", "linear", "same_spin", "opposite_spin"}
        assert stacked["frame"].shape == (plan.n_groups, plan.norb, plan.norb)
        assert stacked["frame"].attrs["axes"] == "group,orbital,rotated"
        assert stacked["same_spin"].attrs["units"] == "hartree"
        np.testing.assert_array_equal(stacked["frame"][3], plan.groups[3].frame)
        assert file["hamiltonian/source/references/energy"].attrs["axes"] == "reference"


def test_labels_are_those_of_the_records(archive):
    with h5py.File(archive) as file:
        factors = file["hamiltonian/factors"].attrs
        assert (factors["units"], factors["axes"]) == (
            "hartree^0.5",
            "factor,orbital,orbital",
        )
        assert file["cisd_state/singles/0"].attrs["axes"] == "occupied,virtual"
        assert file["cisd_state/singles/length"][()] == 2


def test_hashes_follow_from_the_prose_alone(archive):
    """SHA-256 of type, shape and bytes; and of the sorted list of those."""
    with h5py.File(archive) as file:
        lines = []
        for name, dataset in datasets(file).items():
            if dataset.shape is None:
                expected = hashlib.sha256(b"null").hexdigest()
            else:
                array = np.asarray(dataset[()])
                text = f"{array.dtype.str}{array.shape}".encode()
                expected = hashlib.sha256(text + array.tobytes()).hexdigest()
            assert dataset.attrs["sha256"] == expected, name
            lines.append(f"{name} {expected}\n")
        content = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
        assert file.attrs["content_sha256"] == content


def test_identical_records_make_identical_files(tmp_path, archive, records):
    ql.save(tmp_path / "again.h5", *records.values())
    ql.save(tmp_path / "reversed.h5", *reversed(records.values()))
    ql.save(tmp_path / "loaded.h5", *ql.load(archive))

    for name in ("again", "reversed", "loaded"):
        assert (tmp_path / f"{name}.h5").read_bytes() == archive.read_bytes(), name


def test_references_that_others_hold_change_nothing(records, tmp_path, monkeypatch):
    """A profiler's thread may keep datasets alive for a while; the bytes stay the same."""
    ql.save(tmp_path / "a.h5", *records.values())
    create, held = h5py.Group.create_dataset, []

    def hold(*args, **kwargs):
        held.append(create(*args, **kwargs))
        return held[-1]

    monkeypatch.setattr(h5py.Group, "create_dataset", hold)
    ql.save(tmp_path / "b.h5", *records.values())
    held.clear()

    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_another_process_makes_the_same_file(tmp_path, archive):
    """At another time, with other hashes of strings, from another folder."""
    script = """
        import sys
        import qlowrank as ql
        ql.save(sys.argv[2], *reversed(ql.load(sys.argv[1]).records))
        print(*(name for name in ("pyscf", "qiskit", "openfermion", "matplotlib")
                if name in sys.modules))
    """
    for seed in ("1", "2"):
        copy = tmp_path / f"copy{seed}.h5"
        environment = {"PYTHONHASHSEED": seed, "PATH": ""}
        loaded = run(script, archive.resolve(), copy, cwd=tmp_path, env=environment)
        assert copy.read_bytes() == archive.read_bytes()
        assert loaded == "\n", "heavy packages are not needed to load and save"


def test_a_slice_reads_only_its_chunks(tmp_path, rng):
    """Another chunk may be damaged and the slice is still read."""
    norb, rank = 64, 70  # 32 factors a chunk
    factors = rng.standard_normal((rank, norb, norb))
    plain = ql.from_integrals(0.0, np.eye(norb), np.zeros((norb * (norb + 1) // 2,) * 2), (1, 1))
    hamiltonian = ql.Hamiltonian(
        plain.constants,
        plain.one_body,
        plain.kappa,
        factors,
        (1, 1),
        plain.truncation,
        plain.source,
    )
    path = tmp_path / "a.h5"
    ql.save(path, hamiltonian)
    with h5py.File(path) as file:
        assert file["hamiltonian/factors"].chunks == (32, norb, norb)
        second = file["hamiltonian/factors"].id.get_chunk_info(1)
    damaged = bytearray(path.read_bytes())
    damaged[second.byte_offset + second.size // 2] ^= 1
    path.write_bytes(damaged)
    study = ql.load(path)

    rows = study.slice("hamiltonian/factors", 30, 32)

    np.testing.assert_array_equal(rows, factors[30:32])
    assert not rows.flags.writeable
    assert len(study.slice("hamiltonian/factors", 70, 70)) == 0
    with pytest.raises(ql.InputError, match=r"corrupted: dataset hamiltonian/factors cannot be"):
        study.slice("hamiltonian/factors", 30, 33)


def test_the_documented_example_needs_no_qlowrank(tmp_path):
    """The lines of the docstring that read, run where qlowrank cannot be imported."""
    examples = doctest.DocTestParser().get_examples(ql.archive.__doc__)
    lines = "".join(example.source for example in examples)
    reading = lines[lines.index("import hashlib") : lines.index("folder.cleanup()")]
    blocked = "import sys\nsys.modules['qlowrank'] = None\npath = sys.argv[1]\n"

    printed = run(blocked + reading, GOLDEN, cwd=tmp_path)

    assert "qlowrank" not in reading
    assert len(reading.splitlines()) <= 21
    assert printed == ("qlowrank 1 H2 hartree^0.5 factor,orbital,orbital\n-1.06611 Hartree\n")


def test_integrals_follow_from_the_file_alone(archive, records):
    """(pq|rs) from `factors`, as the docs show it, is that of the Hamiltonian."""
    with h5py.File(archive) as file:
        factors = file["hamiltonian/factors"][()]
    two_body = np.einsum("tpq,trs->pqrs", factors, factors)

    # sums of `rank` products, each of which may round
    scale = len(factors) * np.finfo(float).eps * np.abs(two_body).max()
    np.testing.assert_allclose(two_body, records["hamiltonian"].two_body(), atol=scale, rtol=0)

# SPDX-License-Identifier: Apache-2.0
"""What is not an archive, or no longer a good one, is refused in words."""

import fcntl
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import numpy as np
import pytest

import qlowrank as ql
from qlowrank.archive import opening
from qlowrank.checks import InputError

GOLDEN = Path(__file__).parent / "golden" / "v1.h5"
VERBS = [ql.load, ql.verify]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.h5 is an empty file, not an archive; make it anew"),
        (b"&FCI NORB=2\n", "a.h5 is not an HDF5 file, so it is not an archive of qlowrank"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "a.h5: the archive is corrupted and cannot be read"),
    ],
)
def test_other_files_are_refused(tmp_path, verb, content, message):
    path = tmp_path / "a.h5"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        verb(path)


@pytest.mark.parametrize("verb", VERBS)
def test_a_missing_file_is_named(tmp_path, verb):
    with pytest.raises(FileNotFoundError, match=r"There is no file .*a.h5; check its name"):
        verb(tmp_path / "a.h5")


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_is_refused(tmp_path, verb):
    with pytest.raises(InputError, match="is a folder; name the archive in it"):
        verb(tmp_path)


@pytest.mark.parametrize("verb", VERBS)
def test_hdf5_files_of_others_are_refused(tmp_path, verb):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = 1.0
    with pytest.raises(InputError, match="an HDF5 file, but not an archive of qlowrank: its root"):
        verb(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = "other"
    with pytest.raises(InputError, match=r"its root says format='other'. Name a file"):
        verb(path)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("version", [0, -1, "1", 1.5, None])
def test_impossible_versions_are_refused(archive, verb, version):
    with h5py.File(archive, "r+") as file:
        del file.attrs["schema_version"]
        if version is not None:
            file.attrs["schema_version"] = version
    with pytest.raises(InputError, match=r"corrupted: its schema_version is .*, and it must be"):
        verb(archive)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("part", ["_plain", "_datasets"])
def test_damage_that_hdf5_finds_late_is_damage(archive, verb, part, monkeypatch):
    def fail(_):
        raise RuntimeError("incorrect metadata checksum")

    monkeypatch.setattr(opening, part, fail)
    with pytest.raises(InputError, match=r"corrupted and cannot be read \(incorrect metadata"):
        verb(archive)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.99])
def test_files_cut_short_are_refused(archive, verb, kept):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=r"study.h5: the archive is corrupted and cannot be read"):
        verb(archive)


def test_an_unreadable_file_is_named(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closed")
    for parent in (folder, folder.parent):
        parent.chmod(0o755)
    path = folder / "a.h5"
    shutil.copy(GOLDEN, path)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # permissions do not bind root
        os.seteuid(65534)
    try:
        with pytest.raises(PermissionError, match=r"a.h5 may not be read; change its permissions"):
            ql.load(path)
    finally:
        os.seteuid(user)


def test_a_locked_file_names_the_way_out(archive):
    """Another program holds the lock."""
    with archive.open("r+b") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(OSError, match=r"is locked: .* HDF5_USE_FILE_LOCKING=FALSE") as caught:
            ql.load(archive)
        assert not isinstance(caught.value, InputError)
    assert ql.load(archive).kinds


def test_a_kind_of_the_future_is_named(archive):
    with h5py.File(archive, "r+") as file:
        file["wavelets/values"] = np.zeros(3)
    with pytest.raises(InputError, match="holds wavelets, which this qlowrank does not know"):
        ql.load(archive)
    (check,) = (c for c in ql.verify(archive).failed if c.name == "wavelets: known")
    assert "upgrade" in check.detail


def test_an_archive_of_nothing_is_refused(archive):
    with h5py.File(archive, "r+") as file:
        for kind in list(file):
            del file[kind]
    with pytest.raises(InputError, match="corrupted: it holds no records"):
        ql.load(archive)
    assert not ql.verify(archive).passed


def replace(path, name, data):
    """Put another dataset in the place of one, or take it out."""
    with h5py.File(path, "r+") as file:
        attributes = dict(file[name].attrs)
        del file[name]
        if data is not None:
            file[name] = data
            file[name].attrs.update(attributes)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("hamiltonian/kappa", None, "the dataset hamiltonian/kappa is missing; the file is incom"),
        ("plan/groups/linear", None, "the dataset plan/groups/linear is missing"),
        ("hamiltonian/kappa", np.zeros((3, 3)), r"hamiltonian: kappa must have shape \(4, 4\)"),
        ("hamiltonian/kappa", np.full((4, 4), np.nan), "hamiltonian: kappa has 16 entries that"),
        ("hamiltonian/kappa", np.float64(1), r"hamiltonian: kappa must have shape"),
        ("hamiltonian/one_body", np.float64(1), "hamiltonian: "),
        ("hamiltonian/kappa", np.eye(4, dtype="i8"), "hamiltonian/kappa: the type must be float64"),
        (
            "hamiltonian/kappa",
            h5py.Empty("<f8"),
            "the dataset hamiltonian/kappa holds nothing, where",
        ),
        ("hamiltonian/nelec", np.array([1]), "hamiltonian/nelec: 2 values are expected; the file"),
        ("hamiltonian/nelec", np.array([9, 1]), "hamiltonian: nelec must put 0 to 4 electrons"),
        ("hamiltonian/nelec", 1, "hamiltonian/nelec: the number of axes must be 1; the file"),
        ("hamiltonian/constants/other", np.nan, "hamiltonian/constants/other: it must be finite"),
        ("hamiltonian/source/name", 1.0, "hamiltonian/source/name: the type must be"),
        ("fci_state/vector", np.eye(4), "fci_state: A CI vector must have norm 1; got 2"),
        ("fci_state/norb", 1.5, "fci_state/norb: the type must be int64"),
        ("cisd_state/singles/length", 3, "cisd_state/singles must hold 2 arrays; it says 3"),
        ("cisd_state/singles/0", np.zeros((2, 2)), "cisd_state: singles must have shape"),
        ("plan/shots", np.ones(3), "plan: "),
        ("plan/shots", np.array([b"many"]), "plan/shots: the type must be float64, int64 or uint8"),
        ("plan/groups/linear", np.zeros((2, 4)), "plan/groups: all fields must have as many rows"),
        ("plan/groups/linear", 1.0, "plan/groups: all fields must have as many rows"),
        ("run/parameters", np.bytes_(b"\xff"), "run/parameters: "),
        ("run/seed", -1, "run: seed must be from 0"),
    ],
)
def test_content_that_cannot_be_is_refused(archive, name, data, message):
    """Each record's constructor refuses it; the message names file and dataset."""
    replace(archive, name, data)
    kind = name.split("/")[0]
    study = ql.load(archive)

    with pytest.raises(InputError, match=f"study.h5: {message}"):
        study[kind]
    assert study["experiments"] is not None, "other records are still there"
    assert f"{kind}: readable" in [check.name for check in ql.verify(archive).failed]


def test_a_file_replaced_meanwhile_is_noticed(archive, records):
    """Records of two studies must not be mixed."""
    study = ql.load(archive)
    assert study.run == records["run"]
    ql.save(archive, records["hamiltonian"], overwrite=True)

    assert study.run == records["run"]
    with pytest.raises(
        InputError, match=r"study.h5 was replaced since it was loaded; load it agai"
    ):
        study.hamiltonian  # noqa: B018


@pytest.mark.parametrize(
    ("dataset", "start", "stop", "message"),
    [
        ("hamiltonian/factor", 0, 1, "the dataset hamiltonian/factor is missing"),
        ("fci_state/energy", 0, 1, "fci_state/energy has no rows; it is a single value"),
        ("hamiltonian/factors", -1, 1, "hamiltonian/factors has rows 0 to .*; got start -1 and st"),
        ("hamiltonian/factors", 2, 1, "hamiltonian/factors has rows"),
        ("hamiltonian/factors", 0, 99, "hamiltonian/factors has rows"),
    ],
)
def test_slices_that_are_not_there_are_refused(archive, dataset, start, stop, message):
    with pytest.raises(InputError, match=f"study.h5: {message}"):
        ql.load(archive).slice(dataset, start, stop)


def test_nothing_is_read_before_it_is_asked_for(archive):
    """A damaged record does not hinder the others."""
    with h5py.File(archive) as file:
        chunk = file["plan/groups/frame"].id.get_chunk_info(0)
    content = bytearray(archive.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    archive.write_bytes(content)
    study = ql.load(archive)

    assert study.hamiltonian.norb == 4
    with pytest.raises(InputError, match="corrupted: dataset plan/groups/frame cannot be read"):
        study.plan  # noqa: B018
    failed = {check.name: check.detail for check in ql.verify(archive).failed}
    assert set(failed) == {"hashes", "content hash", "plan: readable"}
    assert "plan/groups/frame cannot be read" in failed["hashes"]


FLIPS = """
    import sys
    import numpy as np
    import qlowrank as ql
    from qlowrank.archive.datasets import digest
    from qlowrank.archive.forms import NO_LABEL, Record
    from qlowrank.archive.kinds import KINDS

    def content(path):
        study = ql.load(path)
        return [(e.path, digest(e.data)) for kind in study.kinds
                for e in Record(KINDS[kind]).entries(kind, study[kind], NO_LABEL)]

    source, path = sys.argv[1:]
    whole, expected = open(source, "rb").read(), content(source)
    rng = np.random.default_rng(7)
    outcomes = {"refused": 0, "unchanged": 0, "found": 0}
    for _ in range(150):
        flipped = bytearray(whole)
        flipped[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        open(path, "wb").write(flipped)
        try:
            outcome = "unchanged" if content(path) == expected else "changed"
        except ql.InputError:
            outcome = "refused"
        if outcome == "changed":
            assert not ql.verify(path).passed
            outcome = "found"
        outcomes[outcome] += 1
    print(outcomes)
"""


def test_no_flipped_bit_changes_a_number_unnoticed(tmp_path):
    """It is refused when read, or it changes nothing, or verification finds it."""
    printed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FLIPS), str(GOLDEN), str(tmp_path / "a.h5")],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    ).stdout

    outcomes = dict(eval(printed))  # noqa: S307 (what this test printed itself)
    assert sum(outcomes.values()) == 150
    assert outcomes["refused"] > 50

# SPDX-License-Identifier: Apache-2.0
"""A file is the old one or the new one, whatever happens while it is written."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.archive import writer
from qlowrank.checks import InputError
from qlowrank.files import atomic, draft


def names(folder):
    """Names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_an_existing_file_is_kept(tmp_path, records):
    path = tmp_path / "a.h5"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match=r"a.h5 exists; pass overwrite=True \(--overwrite\)"):
        ql.save(path, records["run"])
    assert path.read_bytes() == b"precious"
    assert names(tmp_path) == ["a.h5"]


def test_an_existing_file_is_replaced_when_asked(tmp_path, records):
    path = tmp_path / "a.h5"
    path.write_bytes(b"old")
    ql.save(path, records["run"], overwrite=True)

    assert ql.load(path).run == records["run"]
    assert names(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(tmp_path, records, monkeypatch, links):
    """Another process was first; also where the file system has no hard links."""
    path = tmp_path / "a.h5"
    write = writer._write

    def write_while_another_does(stream, held):
        write(stream, held)
        path.write_bytes(b"first")

    def no_links(*_):
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(writer, "_write", write_while_another_does)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(FileExistsError, match=r"a.h5 exists; pass overwrite=True"):
        ql.save(path, records["run"])
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["a.h5"]


def test_without_hard_links_a_new_file_is_written_all_the_same(tmp_path, records, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EOPNOTSUPP, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    ql.save(tmp_path / "a.h5", records["run"])

    assert ql.load(tmp_path / "a.h5").run == records["run"]
    assert names(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_link_is_followed(tmp_path, records, overwrite):
    """What a name points to is written, and it goes on pointing there."""
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link.h5", tmp_path / "there" / "a.h5"
    link.symlink_to(target)
    if overwrite:
        target.write_bytes(b"old")
    ql.save(link, records["run"], overwrite=overwrite)

    assert link.is_symlink()
    assert ql.load(target).run == records["run"]
    assert names(tmp_path / "there") == ["a.h5"]


def test_a_folder_is_no_file(tmp_path, records):
    with pytest.raises(InputError, match="is a folder; give the name of a file to write"):
        ql.save(tmp_path, records["run"], overwrite=True)
    assert names(tmp_path) == []


@pytest.mark.parametrize("parent", ["nowhere", "file"])
def test_a_missing_folder_is_named(tmp_path, records, parent):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=f"There is no folder .*{parent}; make it, or"):
        ql.save(tmp_path / parent / "a.h5", records["run"])


@pytest.fixture
def closed_folder(tmp_path_factory):
    """A folder that may be read and not written, for root as well."""
    folder = tmp_path_factory.mktemp("closed")
    for parent in (folder, folder.parent):
        parent.chmod(0o755)
    (folder / "old.h5").write_bytes(b"old")
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_an_unwritable_folder_is_named(closed_folder, records):
    user = os.geteuid()
    if user == 0:  # permissions do not bind root
        os.seteuid(65534)
    try:
        for name in ("old.h5", "new.h5"):
            with pytest.raises(PermissionError, match=r"No file may be written in .*; choose anot"):
                ql.save(closed_folder / name, records["run"], overwrite=True)
    finally:
        os.seteuid(user)
    assert names(closed_folder) == ["old.h5"]
    assert (closed_folder / "old.h5").read_bytes() == b"old"


@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError, MemoryError, SystemExit])
@pytest.mark.parametrize("exists", [True, False])
def test_an_interrupted_save_leaves_what_was_there(tmp_path, records, monkeypatch, error, exists):
    """Interrupted between datasets, after some were written."""
    path = tmp_path / "a.h5"
    if exists:
        ql.save(path, records["run"])
    before = [(name, (tmp_path / name).read_bytes()) for name in names(tmp_path)]
    written = []

    def interrupted(file, entry):
        written.append(entry.path)
        if len(written) == 20:
            raise error("stop")
        return write(file, entry)

    write = writer.write
    monkeypatch.setattr(writer, "write", interrupted)
    with pytest.raises(error):
        ql.save(path, *records.values(), overwrite=exists)
    assert [(name, (tmp_path / name).read_bytes()) for name in names(tmp_path)] == before
    monkeypatch.undo()
    ql.save(path, *records.values(), overwrite=exists)
    assert ql.verify(path).passed


@pytest.mark.parametrize(
    ("failure", "raised", "message"),
    [
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
        (OSError(errno.ENOSPC, "No space left on device"), OSError, "There is no room to write"),
        (OSError(errno.EIO, "Input/output error"), OSError, "could not be written: .*output err"),
    ],
)
@pytest.mark.parametrize("call", [1, 2, 3, -1])
def test_a_failure_inside_hdf5_is_raised_after_it(
    tmp_path, records, monkeypatch, failure, raised, message, call
):
    """At the first bytes, at later ones, and at the very last."""
    calls = []
    os_write = os.write

    def count(*arguments):
        calls.append(1)
        return os_write(*arguments)

    monkeypatch.setattr(draft.os, "write", count)
    ql.save(tmp_path / "a.h5", *records.values())
    failing, calls = (call if call > 0 else len(calls)), []

    def fail(*arguments):
        calls.append(1)
        if len(calls) == failing:
            raise failure
        return os_write(*arguments)

    monkeypatch.setattr(draft.os, "write", fail)
    with pytest.raises(raised, match=message) as caught:
        ql.save(tmp_path / "a.h5", records["run"], *list(records.values())[:-1], overwrite=True)
    assert getattr(caught.value, "errno", None) == getattr(failure, "errno", None)
    assert len(calls) == failing, "nothing is written after a failure"
    assert names(tmp_path) == ["a.h5"]
    assert ql.verify(tmp_path / "a.h5").passed


def test_an_interrupt_inside_hdf5_does_not_wait_for_the_end(tmp_path, records, monkeypatch):
    """What follows the dataset in which it came is not even compressed."""
    written = []
    write = writer.write

    def interrupted(*_):
        raise KeyboardInterrupt

    def count(file, entry):
        written.append(entry.path)
        return write(file, entry)

    monkeypatch.setattr(draft.os, "write", interrupted)
    monkeypatch.setattr(writer, "write", count)
    with pytest.raises(KeyboardInterrupt):
        ql.save(tmp_path / "a.h5", *records.values())
    assert len(written) == 1
    assert names(tmp_path) == []


def test_a_failed_rename_leaves_what_was_there(tmp_path, records, monkeypatch):
    ql.save(tmp_path / "a.h5", records["run"])

    def fail(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(atomic.Path, "replace", fail)
    with pytest.raises(PermissionError, match="No file may be written in"):
        ql.save(tmp_path / "a.h5", records["fci_state"], overwrite=True)
    assert names(tmp_path) == ["a.h5"]
    assert ql.load(tmp_path / "a.h5").run == records["run"]


def test_a_draft_is_a_file(tmp_path):
    """What HDF5 asks of it, against Python's own files."""
    ours, theirs = draft.Draft(tmp_path / "ours"), (tmp_path / "theirs").open("x+b")
    try:
        for file in (ours, theirs):
            file.write(memoryview(b"0123456789"))
            file.seek(12)
            file.write(memoryview(b"abc"))
            file.seek(-4, os.SEEK_END)
            file.seek(1, os.SEEK_CUR)
        buffer = bytearray(9), bytearray(9)
        assert ours.tell() == theirs.tell() == 12
        assert ours.readinto(memoryview(buffer[0])) == theirs.readinto(buffer[1]) == 3
        assert buffer[0] == buffer[1]
        for file in (ours, theirs):
            file.truncate(5)
            file.seek(1)
            file.flush()
        assert ours.read(99) == theirs.read(99) == b"1234"
        ours.to_disk()
    finally:
        ours.close()
        theirs.close()
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes() == b"01234"


def test_a_draft_keeps_its_first_failure(tmp_path):
    """Its file is gone: nothing raises but `check`, and sizes are still those asked for."""
    file = draft.Draft(tmp_path / "a")
    file.close()

    assert file.write(memoryview(b"abc")) == 3
    assert file.truncate(7) == 7
    assert file.read(5) == b""
    assert file.tell() == 3
    for verb in (file.check, file.to_disk):
        with pytest.raises(OSError, match="Bad file descriptor"):
            verb()


FULL = """
    import resource, signal, sys
    import qlowrank as ql
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    records = ql.load(sys.argv[1]).records
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    try:
        ql.save(sys.argv[2], *records, overwrite=True)
    except OSError as error:
        sys.stderr.write(f"{type(error).__name__} {error}")
        sys.exit(7)
"""


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.6, 0.9, 0.999])
def test_a_full_disk_is_said_and_leaves_the_old_file(archive, tmp_path, records, share):
    """The system refuses bytes beyond a limit, at the start, in between, and at the very end.

    Written by HDF5 itself, this ends in a segmentation fault.
    """
    folder = tmp_path / "full"
    folder.mkdir()
    path = folder / "a.h5"
    ql.save(path, records["run"])
    limit = int(share * archive.stat().st_size)
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), str(archive), str(path), str(limit)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert process.returncode == 7, process.stderr
    assert process.stderr.startswith("OSError [Errno 27] There is no room to write")
    assert "Traceback" not in process.stderr
    assert names(folder) == ["a.h5"]
    assert ql.load(path).run == records["run"]


KILLED = """
    import sys
    import numpy as np
    import qlowrank as ql
    from qlowrank.measurement import SimulatedExperiments
    path = sys.argv[1]
    many = [np.random.default_rng(n).standard_normal(2**18) for n in (1, 2)]
    both = [SimulatedExperiments(energies=a, standard_errors=a * a) for a in many]
    ql.save(path, both[0], overwrite=True)
    print("ready", flush=True)
    while True:
        for record in both:
            ql.save(path, record, overwrite=True)
"""


@pytest.mark.slow
def test_a_killed_process_leaves_a_whole_file(tmp_path):
    """SIGKILL at several moments of writing: the old file or the new one, and no lock."""
    path = tmp_path / "a.h5"
    whole = [np.random.default_rng(n).standard_normal(2**18) for n in (1, 2)]
    drafts = 0
    for moment in (0.0, 0.05, 0.11, 0.17, 0.23, 0.31):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(path)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(moment)
            process.kill()
        assert process.returncode == -signal.SIGKILL

        energies = ql.load(path).experiments.energies
        assert any(np.array_equal(energies, one) for one in whole)
        assert ql.verify(path).passed
        left = [name for name in names(tmp_path) if name != "a.h5"]
        assert all(name.startswith(".a.h5.") and name.endswith(".part") for name in left)
        drafts = len(left)
    assert drafts > 0, "no kill came while a file was being written"
    ql.save(path, ql.load(path).experiments, overwrite=True)
    assert ql.verify(path).passed

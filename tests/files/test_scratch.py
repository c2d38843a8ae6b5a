# SPDX-License-Identifier: Apache-2.0
"""Arrays in scratch files: they behave as arrays, leave nothing behind, and say when disks fill."""

import errno
import mmap
import os
import re
from pathlib import Path

import numpy as np
import pytest

from qlowrank.checks import readonly
from qlowrank.files.scratch import array_for, mapped_array, reopened, scratch_array
from qlowrank.memory import forget, in_file


def test_a_scratch_array_is_an_array_without_a_file(tmp_path, rng):
    values = rng.standard_normal((7, 5, 3))
    array = scratch_array(values.shape, tmp_path)
    assert isinstance(array, np.memmap)
    assert not list(tmp_path.iterdir())
    array[...] = values
    assert in_file(array)
    assert in_file(array[2:, 1])
    assert not in_file(values)
    forget(array)
    forget(values)  # nothing to let go
    np.testing.assert_array_equal(array, values)
    view = readonly("values", array, values.shape)
    assert np.shares_memory(view, array)


def test_the_file_is_plain_hdf5(tmp_path):
    import h5py

    array = mapped_array(tmp_path / "a.h5", (2, 3))
    array[...] = np.arange(6.0).reshape(2, 3)
    array.flush()
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["array"][()], np.arange(6.0).reshape(2, 3))
    assert mapped_array(tmp_path / "b.h5", (0, 3)).shape == (0, 3)


@pytest.mark.parametrize(("limit", "mapped"), [(8 * 12, False), (8 * 12 - 1, True)])
def test_what_fits_stays_in_memory(tmp_path, limit, mapped):
    assert isinstance(array_for((3, 4), limit, tmp_path), np.memmap) == mapped
    assert not isinstance(array_for((3, 4)), np.memmap)


def test_a_full_disk_is_said_before_work_begins(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"no room for 0\.01 GB of scratch .*raise max_memory"):
        scratch_array((1000, 1000), tmp_path)
    assert not list(tmp_path.iterdir())


def test_nan_in_a_large_array_is_found():
    values = np.zeros((3, 2**20))
    values[2, 5] = np.nan
    with pytest.raises(ValueError, match="1 entries"):
        readonly("values", values, values.shape)
    with pytest.raises(ValueError, match="1 entries"):
        readonly("values", values.ravel(), (values.size,))


def flags_of(path):
    """The kernel's flags of the mapping of a file (Linux), by its name."""
    smaps = Path("/proc/self/smaps").read_text(encoding="ascii")
    _, mapping = smaps.split(str(path))
    return re.search(r"VmFlags: (.*)", mapping)[1].split()


LARGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage")


@pytest.mark.skipif(not LARGE_PAGES.exists(), reason="a kernel without large pages")
def test_files_come_by_large_pages(tmp_path, monkeypatch):
    """Both new and old ones; a kernel that has none does without."""
    made = mapped_array(tmp_path / "made.h5", (1024, 1024))
    assert "hg" in flags_of(tmp_path / "made.h5")
    made[...] = 1.0
    made.flush()
    del made
    again = reopened(tmp_path / "made.h5", (1024, 1024))
    assert "hg" in flags_of(tmp_path / "made.h5")
    assert again.sum() == again.size
    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", 2**20)  # no such advice
    small = mapped_array(tmp_path / "small.h5", (1024, 1024))
    assert "hg" not in flags_of(tmp_path / "small.h5")
    small[...] = 1.0
    assert small.sum() == small.size

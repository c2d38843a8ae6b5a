# SPDX-License-Identifier: Apache-2.0
"""Symmetric matrices from packed rows, in memory and in files."""

import re
from pathlib import Path

import numpy as np
import pytest

from qlowrank.files.scratch import scratch_array
from qlowrank.integrals.direct.budget import means
from qlowrank.integrals.direct.sheets import Sheets
from qlowrank.integrals.pairs import pack
from qlowrank.lowrank.threads import ALONE
from qlowrank.memory import forget

STATUS = Path("/proc/self/status")


def resident_pages_of_files():
    """Bytes of files that this process sees in memory (Linux)."""
    return 1024 * int(re.search(r"RssFile:\s+(\d+)", STATUS.read_text(encoding="ascii"))[1])


def test_rows_become_matrices(rng):
    matrices = rng.standard_normal((5, 4, 4))
    matrices += matrices.transpose(0, 2, 1)
    sheets = Sheets(means(None, None, ALONE, None), 7, 4)
    for part in (slice(0, 3), slice(3, 5)):
        sheets.take(pack(matrices[part]))
    np.testing.assert_array_equal(sheets.filled, matrices)
    # a sum of 80 squares, added in another order
    assert sheets.squares == pytest.approx(np.sum(matrices**2), rel=80 * np.finfo(float).eps)


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux says what is resident")
def test_no_pages_of_files_stay(tmp_path, monkeypatch):
    """Neither those that were read nor those that were written."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    norb, count = 200, 64
    rows = scratch_array((count, norb * (norb + 1) // 2))
    rows[...] = 1.0
    forget(rows)
    sheets = Sheets(means(1e6, None, ALONE, None), count, norb)
    before = resident_pages_of_files()
    sheets.take(rows)
    added = resident_pages_of_files() - before
    # 10 MB were read and 20 MB written; code that runs for the first time may come in
    assert added < rows.nbytes / 4
    assert np.all(sheets.filled == 1.0)

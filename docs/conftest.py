# SPDX-License-Identifier: Apache-2.0
"""The examples of each page run in a fresh folder that holds a copy of data/."""

import shutil
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def folder_of_its_own(tmp_path, monkeypatch):
    """Let a page write files, and find data/, where its reader would."""
    shutil.copytree(DATA, tmp_path / "data")
    monkeypatch.chdir(tmp_path)

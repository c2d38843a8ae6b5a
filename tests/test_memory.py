# SPDX-License-Identifier: Apache-2.0
"""What the machine's memory holds: how much is left, and what may go."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from qlowrank import memory

FAULTS = """
import resource, sys
import numpy as np
from contextlib import nullcontext
from qlowrank.memory import reused_memory

with reused_memory() if sys.argv[1] == "reused" else nullcontext():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        together = [np.ones(2**18) for _ in range(8)]
        del together
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_available_memory(monkeypatch):
    """From the kernel where it tells, else all there is; at least this process fits in both."""
    assert memory.available_memory() > 2**20

    def no_such_file(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "open", no_such_file)
    assert memory.available_memory() > 2**20


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc unmaps freed arrays by a limit that moves"
)
def test_memory_of_a_loop_is_used_again():
    """One round touches 4096 pages of 4 kB; without it, each round has most of them zeroed."""
    faults = [
        int(subprocess.check_output([sys.executable, "-c", FAULTS, how]))
        for how in ("reused", "as it is")
    ]
    assert faults[0] < 2 * 4096 < faults[1]

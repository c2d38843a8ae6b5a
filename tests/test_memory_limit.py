# SPDX-License-Identifier: Apache-2.0
"""A whole run stays within its limit of memory, as the kernel counts it."""

import subprocess
import sys
from pathlib import Path

import pytest

LIMIT = 50_000_000
"""Bytes; the arrays of the run take twice as much."""

RUN = """
import re, sys
from pathlib import Path

from pyscf import gto, scf

import qlowrank as ql

def peak():
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status)[1])

places = [(x, y) for x in (0.0, 3.0) for y in (0.0, 3.0)]
atoms = [
    (symbol, (x + dx, y + dy, dz))
    for x, y in places
    for symbol, dx, dy, dz in (("O", 0, 0, 0), ("H", 0, 0.757, 0.587), ("H", 0, -0.757, 0.587))
]
mean_field = scf.RHF(gto.M(atom=atoms, basis="cc-pvdz", verbose=0)).run(conv_tol=1e-10)
mean_field._eri = None

def taken(tolerance, limit):
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = peak()
    hamiltonian = ql.from_pyscf(mean_field, tolerance=tolerance, max_memory=limit)
    ql.double_factorize(hamiltonian, max_memory=limit)
    return peak() - before

limit = float(sys.argv[1])
print(taken(1.0, limit), taken(1e-6, limit), taken(1e-6, None))
"""


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(),
    reason="only Linux begins its count of the most memory anew when asked to",
)
def test_a_run_stays_within_its_limit():
    """What a run with hardly a vector takes are tables; all that grows with vectors has a limit."""
    printed = subprocess.check_output([sys.executable, "-c", RUN, str(LIMIT)], text=True)
    tables, limited, free = map(int, printed.split())
    assert limited <= LIMIT + tables < free

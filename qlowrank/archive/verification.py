# SPDX-License-Identifier: Apache-2.0
"""Verifying: recompute the hashes of an archive, then the science it states."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from qlowrank.archive.check import Check, Verification
from qlowrank.archive.check_factorization import factorization_checks
from qlowrank.archive.check_fits import fit_checks
from qlowrank.archive.check_hamiltonian import hamiltonian_checks
from qlowrank.archive.check_integrity import hash_checks, label_checks
from qlowrank.archive.check_mps import mps_checks
from qlowrank.archive.check_outcomes import outcome_checks
from qlowrank.archive.check_plan import plan_checks
from qlowrank.archive.check_square_fit import square_fit_checks
from qlowrank.archive.check_states import state_checks
from qlowrank.archive.evidence import Evidence
from qlowrank.archive.forms import Record
from qlowrank.archive.kinds import KINDS
from qlowrank.archive.opening import OpenArchive, opened
from qlowrank.checks import InputError
from qlowrank.lowrank import Progress

SCIENCE: dict[str, Callable[[Evidence], Iterator[Check]]] = {
    "hamiltonian": hamiltonian_checks,
    "factorization": factorization_checks,
    "fits": fit_checks,
    "square fit": square_fit_checks,
    "states": state_checks,
    "chain": mps_checks,
    "plan": plan_checks,
    "outcomes": outcome_checks,
}
"""What is recomputed, in this order, each as far as the records that are held allow."""


def verify(path: str | os.PathLike[str], *, progress: Progress | None = None) -> Verification:
    """Check an archive: hashes and labels, then residual, energies, variances and shots.

    The science is recomputed from the stored factors, leaves, vectors and groups, so a number that
    was changed is found even where its hash was changed with it.

    Args:
        path: The file.
        progress: Called as moments are recomputed, the longest part.

    Returns:
        All checks; content that cannot be read, or is wrong, is a check that did not pass.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: The file may not be read.
        InputError: It is not an archive, cannot be opened at all, or was written by a newer
            qlowrank.

    >>> import tempfile
    >>> from qlowrank.archive import save
    >>> from qlowrank.hamiltonian.read import from_example
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/h2.h5", from_example("h2"))
    ...     verify(f"{folder}/h2.h5")
    Verification(passed, 11 checks)
    """
    with opened(Path(path)) as archive:
        found = list(hash_checks(archive))
        records, unreadable = _records(archive)
        found += unreadable
        if records:
            found += label_checks(archive, records)
    evidence = Evidence(records, progress)
    for subject, checks in SCIENCE.items():
        found += _carried_out(subject, checks, evidence)
    return Verification(tuple(found))


def _records(archive: OpenArchive) -> tuple[dict[str, Any], list[Check]]:
    """Build every record, and say which cannot be built."""
    records: dict[str, Any] = {}
    failures: list[Check] = []
    names = {path.split("/")[0] for path in archive.store.datasets}
    for kind, cls in KINDS.items():
        if kind in names:
            try:
                records[kind] = Record(cls).value(archive.store, kind)
            except InputError as error:
                failures.append(Check(f"{kind}: readable", False, str(error)))
    failures += [
        Check(f"{name}: known", False, "this qlowrank does not know such a record; upgrade it")
        for name in sorted(names - KINDS.keys())
    ]
    if not names:
        failures.append(Check("records", False, "the archive holds none"))
    return records, failures


def _carried_out(
    subject: str, checks: Callable[[Evidence], Iterator[Check]], evidence: Evidence
) -> list[Check]:
    """Carry out checks; numbers so wrong that nothing can be computed from them fail too."""
    found: list[Check] = []
    try:
        with np.errstate(all="ignore"):
            found.extend(checks(evidence))
    except (ValueError, ArithmeticError, IndexError, TypeError) as error:
        found.append(Check(f"{subject}: computable", False, str(error)))
    return found

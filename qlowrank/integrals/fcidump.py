# SPDX-License-Identifier: Apache-2.0
"""FCIDUMP files: integrals of an active space as text, read with suspicion, written whole."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.files.atomic import replacing
from qlowrank.integrals.fcidump_header import FcidumpHeader, format_header, read_header
from qlowrank.integrals.pairs import pair_index, unpack

_BLOCK = 1 << 22
"""Bytes of text parsed at a time."""
_LONGEST_LINE = 1 << 16
"""Bytes; more without a line break is no text."""
_ROWS = 256
"""Rows of the packed tensor handled at a time, so that no second tensor is ever held."""
_AGREE = 1e-8
"""Two entries for one integral agree within this many Hartree (times the integral, above 1)."""
_COARSEST = 1e-5
"""Printed digits excuse no larger difference than this, Hartree (times the integral, above 1)."""

_LINE = np.dtype([("value", np.float64), ("orbitals", np.int64, (4,))])
_FORTRAN = bytes.maketrans(b"Dd,", b"Ee ")
_REAL = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:E?([+-]\d+)|E(\d+))?", re.ASCII)
_INDEX = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_USED = {(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 1)}
"""Which of four orbitals a line may name: core energy, orbital energy, one-body, two-body."""


@dataclass(frozen=True, eq=False)
class Fcidump:
    """What an FCIDUMP file holds: real integrals over orbitals that both spins share."""

    nelec: tuple[int, int] = field(metadata={"units": "1"})
    """Electrons (n_alpha, n_beta)."""
    constant: float = field(metadata={"units": "hartree"})
    """Core energy: nuclear repulsion plus whatever is frozen, Hartree."""
    one_body: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """h, shape (norb, norb), symmetric, Hartree."""
    two_body: Array = field(metadata={"units": "hartree", "axes": "pair,pair"})
    """(pq|rs), chemists' order, shape (npair, npair), symmetric, Hartree; a pair p ≥ q has index
    p(p+1)/2 + q (PySCF's 4-fold packing)."""
    orbsym: tuple[int, ...] = field(metadata={"units": "1"})
    """Irrep number of each orbital, in the numbering of whoever wrote it; all 1 for none."""

    def __post_init__(self) -> None:
        norb, npair = self.norb, self.norb * (self.norb + 1) // 2
        if norb < 1:
            raise InputError("orbsym must name one irrep for each of at least 1 orbital; got none.")
        two_body = checks.readonly("two_body", self.two_body, (npair, npair))
        _refuse_asymmetric(two_body)
        for name, value in {
            "nelec": checks.electrons(self.nelec, norb),
            "constant": checks.finite("constant", self.constant),
            "one_body": checks.symmetric("one_body", self.one_body, norb),
            "two_body": two_body,
            "orbsym": tuple(int(irrep) for irrep in self.orbsym),
        }.items():
            object.__setattr__(self, name, value)

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return len(self.orbsym)


def read_fcidump(path: str | os.PathLike[str], *, max_memory: float | None = None) -> Fcidump:
    """Read an FCIDUMP file, or say which line cannot be trusted.

    The integrals may be listed once (eightfold symmetry), or more than once as long as the
    values agree: in fourfold or no symmetry. Orbital energies (`e p 0 0 0`) are passed over.

    Args:
        path: The file; its integrals are real, in Hartree, over orbitals that both spins share.
        max_memory: Most bytes to use for the packed tensor; None is what the machine has left.

    Returns:
        The integrals, electrons and irreps of the file.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: The file may not be read.
        InputError: The header is missing, contradicts itself or announces spin-resolved
            integrals; an entry is complex, not finite, out of range or at odds with another;
            the file is cut short; or the tensor would not fit into `max_memory`.

    Source:
        P. J. Knowles, N. C. Handy, Comput. Phys. Commun. 54, 75 (1989).

    >>> import tempfile
    >>> dump = Fcidump((1, 1), 0.5, np.array([[-1.2]]), np.array([[0.6]]), (1,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_fcidump(f"{folder}/one.fcidump", dump)
    ...     read_fcidump(f"{folder}/one.fcidump").two_body
    array([[0.6]])
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the FCIDUMP file in it.")
    try:
        stream = path.open("rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(f"there is no file {path}; check the path.") from error
    except PermissionError as error:
        raise PermissionError(f"{path} may not be read; ask its owner, or copy it.") from error
    with stream:
        try:
            header = read_header(stream)
            return _read_integrals(stream, header, max_memory)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error


def write_fcidump(
    path: str | os.PathLike[str],
    dump: Fcidump,
    *,
    overwrite: bool = False,
    threshold: float = 0.0,
) -> None:
    """Write an FCIDUMP file whole or not at all, with 17 digits so that reading it is exact.

    Args:
        path: Where to write; a file that is there stays unless `overwrite`.
        dump: What to write; of symmetric arrays, the lower triangle.
        overwrite: Replace the file if there is one.
        threshold: Leave out integrals of at most this size, Hartree; (pp|pp) and h(pp) stay. Above
            zero, the integrals that are read back need not be positive semidefinite.

    Raises:
        FileExistsError: There is a file and `overwrite` is False.
        FileNotFoundError: There is no such folder.
        PermissionError: The folder may not be written to.
        InputError: `path` is a folder, or `threshold` is negative or not finite.
    """
    threshold = checks.finite("threshold", threshold)
    if threshold < 0:
        raise InputError(f"threshold must be at least 0 Hartree; got {threshold:g}.")
    with replacing(Path(path), overwrite=overwrite) as draft:
        draft.write(memoryview(format_header(dump.norb, dump.nelec, dump.orbsym).encode()))
        for text in _integral_lines(dump, threshold):
            draft.write(memoryview(text.encode()))
            draft.check()


def _integral_lines(dump: Fcidump, threshold: float) -> Iterator[str]:
    """Two-body integrals, then one-body, then the constant: a file cut short lacks the last."""
    rows, cols = np.tril_indices(dump.norb)
    labels = [f" {p:3d} {q:3d}" for p, q in zip(rows + 1, cols + 1, strict=True)]
    for pair, label in enumerate(labels):
        tails = [label + other for other in labels[: pair + 1]]
        keep_last = rows[pair] == cols[pair]
        yield _row(dump.two_body[pair, : pair + 1], tails, keep_last, threshold)
    for p in range(dump.norb):
        tails = [label + "   0   0" for label in labels[p * (p + 1) // 2 :][: p + 1]]
        yield _row(dump.one_body[p, : p + 1], tails, True, threshold)
    yield f"{dump.constant:24.16E}   0   0   0   0\n"


def _row(values: Array, tails: list[str], keep_last: bool, threshold: float) -> str:
    """Format one row of a lower triangle; its last entry, if asked, whatever its size."""
    kept = np.abs(values) > threshold
    kept[-1] |= keep_last
    template = "".join(f"%24.16E{tails[column]}\n" for column in np.flatnonzero(kept))
    return template % tuple(values[kept].tolist())


def _read_integrals(stream: BinaryIO, header: FcidumpHeader, max_memory: float | None) -> Fcidump:
    """Read the lines after the header, a block at a time."""
    npair = header.norb * (header.norb + 1) // 2
    checks.fits(
        f"the packed two-electron tensor of {header.norb} orbitals",
        9.0 * npair**2,  # eight bytes a number, and one more while they are checked
        max_memory,
        "Choose a smaller active space, or raise max_memory.",
    )
    tables = _Tables(header.norb)
    line = header.n_lines + 1
    while block := stream.read(_BLOCK) + stream.readline(_LONGEST_LINE):
        rows = _parse(block, line, header.norb)
        line += block.count(b"\n")
        if block.rpartition(b"\n")[2].strip() and rows["orbitals"][-1].any():
            raise InputError(
                f"line {line}, the last, has no line end, so the file seems cut short. "
                "Write it again, or end that line if it is whole."
            )
        tables.store(rows, block)
    one_body, two_body = tables.finish()
    return Fcidump(
        nelec=header.nelec,
        constant=float(tables.constant[0]),
        one_body=one_body,
        two_body=two_body,
        orbsym=header.orbsym or (1,) * header.norb,
    )


def _parse(block: bytes, first: int, norb: int) -> np.ndarray:
    """Return the integrals of some lines as a `_LINE` array, or name the line that is wrong."""
    if not block.strip():
        return np.empty(0, _LINE)
    text = block.translate(_FORTRAN).decode("ascii", errors="replace").split("\n")
    try:
        rows = np.loadtxt(text, dtype=_LINE, comments=None, ndmin=1)
    except ValueError:
        rows = np.array([_entry(line, first + n, norb) for n, line in _with_text(block)], _LINE)
    orbitals = rows["orbitals"]
    used = (orbitals != 0) @ np.array([8, 4, 2, 1])
    good = np.isfinite(rows["value"]) & np.isin(used, (0, 8, 12, 15))
    good &= ((orbitals >= 0) & (orbitals <= norb)).all(axis=1)
    if not good.all():
        number, line = _with_text(block)[int(np.argmin(good))]
        _entry(line, first + number, norb)
    return rows


def _with_text(block: bytes) -> list[tuple[int, str]]:
    """Return the lines that hold an entry, with their numbers."""
    lines = block.decode("ascii", errors="replace").split("\n")
    return [(number, line) for number, line in enumerate(lines) if line.strip()]


def _entry(line: str, number: int, norb: int) -> tuple[float, tuple[int, ...]]:
    """Read one line with care, to take what `numpy` does not or to say what is wrong."""
    where = f"line {number} ({line.strip()[:50]!r})"
    value, orbitals = _columns(line, where)
    if not np.isfinite(value):
        raise InputError(f"{where} must start with a finite real number; it overflows.")
    if not all(0 <= orbital <= norb for orbital in orbitals):
        raise InputError(f"{where} names an orbital outside 1 to NORB={norb}.")
    if tuple(int(orbital > 0) for orbital in orbitals) not in _USED:
        raise InputError(
            f"{where} is no integral; expected `p q r s`, `p q 0 0`, `p 0 0 0` or `0 0 0 0` "
            "after its value."
        )
    return value, orbitals


def _columns(line: str, where: str) -> tuple[float, tuple[int, ...]]:
    """Split `value p q r s`, where Fortran may write the value as 1.0D-5 or 0.1-120."""
    words = _words(line)
    if "(" in line or len(words) == 6:
        raise InputError(
            f"{where} seems to hold a complex integral; expected `value p q r s`, one real value "
            "and four orbitals. Rotate to real orbitals first."
        )
    if len(words) != 5:
        raise InputError(
            f"{where} must hold 5 columns, `value p q r s`; got {len(words)}. "
            "If it is the last line, the file is cut short."
        )
    value = _REAL.fullmatch(words[0])
    if value is None:
        raise InputError(f"{where} must start with a finite real number.")
    if not all(_INDEX.fullmatch(word) for word in words[1:]):
        raise InputError(f"{where} must end with four integers, the orbitals p q r s.")
    mantissa, signed, plain = value.groups()
    return float(f"{mantissa}E{signed or plain or 0}"), tuple(int(word) for word in words[1:])


def _words(line: str) -> list[str]:
    """Return the columns of a line, exponents with E."""
    return line.upper().replace("D", "E").replace(",", " ").split()


class _Tables:
    """The integrals read so far, packed over pairs p ≥ q; nan marks one not seen yet."""

    def __init__(self, norb: int) -> None:
        self.index = pair_index(norb)
        npair = norb * (norb + 1) // 2
        self.constant = np.full(1, np.nan)
        self.one_body = np.full(npair, np.nan)
        self.two_body = np.full((npair, npair), np.nan)

    def store(self, rows: np.ndarray, block: bytes) -> None:
        """Enter the integrals of some lines; refuse one at odds with another."""
        p, q, r, s = rows["orbitals"].T
        two, core = np.flatnonzero(s), np.flatnonzero(p == 0)
        one = np.flatnonzero((q > 0) & (r == 0))
        left, right = self.index[p - 1, q - 1], self.index[r - 1, s - 1]
        packed = np.maximum(left, right) * len(self.two_body) + np.minimum(left, right)
        for table, chosen, where in (
            (self.two_body.reshape(-1), two, packed[two]),
            (self.one_body, one, left[one]),
            (self.constant, core, np.zeros_like(core)),
        ):
            values = rows["value"][chosen]
            new = np.flatnonzero(np.isnan(table[where]))[::-1]  # the first of several stays
            table[where[new]] = values[new]
            others = table[where]
            apart = np.abs(others - values) > _AGREE * np.maximum(1.0, np.abs(values))
            if apart.any():
                lines = _with_text(block)
                for row, other in zip(chosen[apart], others[apart], strict=True):
                    _refuse_disagreement(lines[row][1], float(other))

    def finish(self) -> tuple[Array, Array]:
        """Return `(one_body, two_body)`, absent integrals zero, once nothing vital is missing."""
        diagonal = np.diagonal(self.index)
        remedy = "The file is cut short, or its writer dropped it; write it, even if it is zero."
        if np.isnan(self.constant[0]):
            raise InputError(f"there is no core energy, a line `E 0 0 0 0`. {remedy}")
        for orbital in np.flatnonzero(np.isnan(self.two_body[diagonal, diagonal])) + 1:
            raise InputError(
                f"orbital {orbital} has no self-repulsion, a line "
                f"`value {orbital} {orbital} {orbital} {orbital}`. {remedy}"
            )
        if np.isnan(self.one_body[diagonal]).all():
            raise InputError(f"there is no diagonal one-body integral, `value p p 0 0`. {remedy}")
        for start in range(0, len(self.two_body), _ROWS):
            stop = start + _ROWS
            block = self.two_body[start:stop, :stop]
            np.nan_to_num(block, copy=False)
            self.two_body[:start, start:stop] = block[:, :start].T
            block[:, start:] += np.tril(block[:, start:], -1).T
        return unpack(np.nan_to_num(self.one_body), len(self.index)), self.two_body


def _refuse_disagreement(line: str, other: float) -> None:
    """Refuse an integral also given as `other`, unless the printed digits tell no difference."""
    value, orbitals = _columns(line, line)
    printed = _REAL.match(_words(line)[0])
    mantissa, *exponents = printed.groups() if printed else ("",)
    power = -len(mantissa.partition(".")[2])
    if any(exponents):  # the other one's may be larger by one
        power += 1 + sum(int(exponent or 0) for exponent in exponents)
    allowed = min(float(f"1E{power}"), _COARSEST * max(1.0, abs(value)))
    allowed *= 1 + 1e-6  # the difference itself is rounded
    if abs(value - other) <= allowed:
        return
    p, q, r, s = orbitals
    name = f"({p} {q}|{r} {s})" if s else f"h({p} {q})" if p else "the core energy"
    raise InputError(
        f"{name} is given twice, as {other:.10g} and as {value:.10g}. (pq|rs) = (qp|rs) = (pq|sr) "
        "= (rs|pq) and h(pq) = h(qp) hold for real orbitals that both spins share; integrals of "
        "UHF or complex orbitals cannot be used."
    )


def _refuse_asymmetric(two_body: Array) -> None:
    """Refuse (pq|rs) != (rs|pq), a few rows at a time."""
    largest, gap = 1.0, 0.0
    for start in range(0, len(two_body), _ROWS):
        rows = two_body[start : start + _ROWS]
        largest = max(largest, float(np.abs(rows).max()))
        gap = max(gap, float(np.abs(rows - two_body[:, start : start + _ROWS].T).max()))
    if gap > _AGREE * largest:
        raise InputError(
            f"two_body must be symmetric, (pq|rs) = (rs|pq); it breaks this by up to {gap:.2e}."
        )

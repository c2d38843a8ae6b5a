# SPDX-License-Identifier: Apache-2.0
"""The namelist at the top of an FCIDUMP file: read, checked against itself, and written."""

import re
from dataclasses import dataclass
from typing import BinaryIO

from qlowrank.checks import InputError

_MOST_LINES = 10_000
"""A header is over by then; one that is not has lost its end."""
_LONGEST_LINE = 1 << 20
"""Bytes; more without a line break is not a header."""

_START = re.compile(r"\s*[&$]FCI\b", re.IGNORECASE)
_END = re.compile(r"[&$]END\b|/", re.IGNORECASE)
_KEY = re.compile(r"([A-Za-z]\w*)\s*=")
_REPEAT = re.compile(r"(\d{1,6})\*(\S+)")
_INTEGER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_FALSE = {"", "0", "F", ".F.", "FALSE", ".FALSE."}

_REFUSED = {
    "IUHF": "separate alpha and beta integrals",
    "UHF": "separate alpha and beta integrals",
    "TREL": "relativistic (spinor) integrals",
}


@dataclass(frozen=True, slots=True)
class FcidumpHeader:
    """What the header says, once it has been found consistent."""

    norb: int
    """Number of spatial orbitals, at least 1."""
    nelec: tuple[int, int]
    """Electrons (n_alpha, n_beta), from NELEC and MS2 = n_alpha - n_beta."""
    orbsym: tuple[int, ...]
    """Irrep number of each orbital as the file gives it; empty where it gives none."""
    n_lines: int
    """Lines that the header takes."""


def read_header(stream: BinaryIO) -> FcidumpHeader:
    """Read `&FCI ... &END` (or `/`) and leave the stream at the first line of integrals.

    Any case, any of commas, blanks and line breaks between values, `8*1` for eight ones and
    `!` comments are accepted, and keys that change nothing here are passed over.

    Raises:
        InputError: No header, no end of it, or one that contradicts itself or announces
            integrals other than real ones shared by both spins.
    """
    text: list[str] = []
    start = None
    for number in range(1, _MOST_LINES + 1):
        raw = stream.readline(_LONGEST_LINE)
        line = _plain_text(raw, number).partition("!")[0]
        if start is None and line.strip():
            start = _START.match(line)
            if start is None:
                raise InputError(
                    "an FCIDUMP file must start with &FCI; "
                    f"line {number} starts with {line.strip()[:20]!r}."
                )
            line = line[start.end() :]
        end = _END.search(line)
        if end is not None:
            if line[end.end() :].strip():
                raise InputError(
                    f"nothing may follow the end of the header on its line; line {number} "
                    f"goes on with {line[end.end() :].strip()[:20]!r}. Break the line there."
                )
            return _checked(_keys(" ".join([*text, line[: end.start()]])), number)
        if not raw:
            break
        text.append(line)
    if start is None:
        raise InputError("the file is empty; expected an FCIDUMP file, which starts with &FCI.")
    raise InputError(
        f"the header has no end: neither &END nor / in {number} lines. "
        "The file may be cut short; write it again."
    )


def format_header(norb: int, nelec: tuple[int, int], orbsym: tuple[int, ...]) -> str:
    """Return the header as text, its last line included."""
    n_alpha, n_beta = nelec
    return (
        f" &FCI NORB={norb:4d},NELEC={n_alpha + n_beta:4d},MS2={n_alpha - n_beta},\n"
        f"  ORBSYM={','.join(map(str, orbsym))},\n  ISYM=1,\n &END\n"
    )


def _plain_text(raw: bytes, number: int) -> str:
    """Return one line as text, or say that the file is not a text file."""
    line = raw.decode("ascii", errors="replace")
    if not all(character.isprintable() or character.isspace() for character in line) or (
        "\ufffd" in line
    ):
        raise InputError(
            f"line {number} is not plain text; expected an FCIDUMP file, which starts with &FCI."
        )
    return line


def _keys(text: str) -> dict[str, list[str]]:
    """Split `NORB=2, ORBSYM=2*1` into `{"NORB": ["2"], "ORBSYM": ["1", "1"]}`."""
    found = list(_KEY.finditer(text))
    before = text[: found[0].start()] if found else text
    if before.strip(" \t\r\n,"):
        raise InputError(f"the header must hold KEY=value pairs; got {before.strip()[:40]!r}.")
    keys: dict[str, list[str]] = {}
    stops = [*[match.start() for match in found][1:], len(text)]
    for match, stop in zip(found, stops, strict=False):
        values = _expanded(text[match.end() : stop])
        key = match.group(1).upper()
        if keys.setdefault(key, values) != values:
            raise InputError(f"the header gives {key} twice, with different values; keep one.")
    return keys


def _expanded(text: str) -> list[str]:
    """Split values at commas and blanks, and write `8*1` out."""
    values: list[str] = []
    for word in text.replace(",", " ").split():
        repeat = _REPEAT.fullmatch(word)
        values += [repeat.group(2)] * int(repeat.group(1)) if repeat else [word]
    return values


def _checked(keys: dict[str, list[str]], n_lines: int) -> FcidumpHeader:
    """Return the header if NORB, NELEC, MS2 and ORBSYM fit each other."""
    for key, meaning in _REFUSED.items():
        value = ",".join(keys.get(key, []))
        if value.upper() not in _FALSE:
            raise InputError(
                f"the header says {key}={value}: {meaning}, and qlowrank reads real integrals "
                "over orbitals that both spins share. Write the file from RHF or ROHF orbitals."
            )
    norb = _integer(keys, "NORB", "the number of orbitals")
    n_electrons = _integer(keys, "NELEC", "the number of electrons")
    projection = _integer(
        keys, "MS2", "n_alpha - n_beta, such as MS2=0 for a closed shell or MS2=2 for a triplet"
    )
    if norb < 1:
        raise InputError(f"NORB must be at least 1; got {norb}.")
    if not 0 <= n_electrons <= 2 * norb:
        raise InputError(
            f"NELEC must be 0 to {2 * norb} for NORB={norb}, two in each orbital; "
            f"got {n_electrons}."
        )
    if abs(projection) > n_electrons or (n_electrons - projection) % 2:
        raise InputError(
            f"MS2={projection} is impossible with NELEC={n_electrons}: MS2 is n_alpha - n_beta, "
            "so it is even when NELEC is, odd when NELEC is, and not larger than NELEC."
        )
    nelec = ((n_electrons + projection) // 2, (n_electrons - projection) // 2)
    if max(nelec) > norb:
        raise InputError(
            f"NELEC={n_electrons} and MS2={projection} put {max(nelec)} electrons of one spin "
            f"into NORB={norb} orbitals; at most {norb} fit."
        )
    return FcidumpHeader(norb, nelec, _irreps(keys.get("ORBSYM", []), norb), n_lines)


def _integer(keys: dict[str, list[str]], key: str, meaning: str) -> int:
    """Return the one integer that `key` must have."""
    values = keys.get(key, [])
    if not values:
        raise InputError(f"the header has no {key}; add {key}=..., {meaning}.")
    if len(values) > 1 or not _INTEGER.fullmatch(values[0]):
        raise InputError(f"{key} must be one integer, {meaning}; got {','.join(values)[:40]!r}.")
    return int(values[0])


def _irreps(values: list[str], norb: int) -> tuple[int, ...]:
    """Return the irrep numbers, one an orbital; any numbering (PySCF, Molpro) will do."""
    if values and len(values) != norb:
        raise InputError(
            f"ORBSYM must name one irrep for each of NORB={norb} orbitals; got {len(values)}. "
            "Mend it, or delete ORBSYM to go without symmetry."
        )
    wrong = [value for value in values if not _INTEGER.fullmatch(value)]
    if wrong:
        raise InputError(
            f"ORBSYM must hold integers; got {wrong[0][:20]!r}. "
            "Mend it, or delete ORBSYM to go without symmetry."
        )
    return tuple(int(value) for value in values)

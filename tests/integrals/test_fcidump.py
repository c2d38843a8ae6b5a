# SPDX-License-Identifier: Apache-2.0
"""FCIDUMP files: exact round trips, other writers' layouts, and every file that must be refused."""

import errno
import itertools
import tempfile
import tracemalloc
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.files import draft
from qlowrank.integrals import fcidump
from qlowrank.integrals.fcidump import Fcidump, read_fcidump, write_fcidump

HEADER = " &FCI NORB=2,NELEC=2,MS2=0,\n  ORBSYM=1,1,\n  ISYM=1,\n &END\n"
LINES = [
    "0.7  1 1 1 1",
    "0.1  2 1 1 1",
    "0.2  2 1 2 1",
    "0.6  2 2 1 1",
    "0.05 2 2 2 1",
    "0.8  2 2 2 2",
    "-1.2 1 1 0 0",
    "-0.3 2 1 0 0",
    "-0.9 2 2 0 0",
    "0.5  0 0 0 0",
]
TWO_BODY = np.array([[0.7, 0.1, 0.6], [0.1, 0.2, 0.05], [0.6, 0.05, 0.8]])
ONE_BODY = np.array([[-1.2, -0.3], [-0.3, -0.9]])


def file_of(tmp_path, header=HEADER, lines=LINES):
    path = tmp_path / "FCIDUMP"
    path.write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def random_dump(rng, norb, nelec):
    npair = norb * (norb + 1) // 2
    one_body, two_body = rng.normal(size=(norb, norb)), rng.normal(size=(npair, npair))
    return Fcidump(nelec, -1.5, one_body + one_body.T, two_body + two_body.T, (1,) * norb)


def assert_same(found, expected):
    """Equal to the last bit, but for the sign of zero."""
    assert found.nelec == expected.nelec
    assert found.orbsym == expected.orbsym
    assert found.constant == expected.constant
    np.testing.assert_array_equal(found.one_body, expected.one_body, strict=True)
    np.testing.assert_array_equal(found.two_body, expected.two_body, strict=True)


def assert_the_example(dump):
    assert (dump.nelec, dump.constant, dump.norb) == ((1, 1), 0.5, 2)
    np.testing.assert_array_equal(dump.one_body, ONE_BODY)
    np.testing.assert_array_equal(dump.two_body, TWO_BODY)


def four_index(packed, norb):
    """(pq|rs) with four indices, by the definition of the packing."""
    tensor = np.empty((norb,) * 4)
    for p, q, r, s in itertools.product(range(norb), repeat=4):
        left, right = max(p, q), max(r, s)
        pair = left * (left + 1) // 2 + min(p, q), right * (right + 1) // 2 + min(r, s)
        tensor[p, q, r, s] = packed[pair]
    return tensor


# --- what is written comes back --------------------------------------------------------------


@st.composite
def dumps(draw):
    norb = draw(st.integers(1, 5))
    npair = norb * (norb + 1) // 2
    values = st.floats(-1e6, 1e6, allow_subnormal=True)
    triangle = draw(hnp.arrays(np.float64, (npair, npair), elements=values))
    one_body = draw(hnp.arrays(np.float64, (norb, norb), elements=values))
    return Fcidump(
        nelec=(draw(st.integers(0, norb)), draw(st.integers(0, norb))),
        constant=draw(values),
        one_body=np.tril(one_body) + np.tril(one_body, -1).T,
        two_body=np.tril(triangle) + np.tril(triangle, -1).T,
        orbsym=tuple(draw(st.lists(st.integers(0, 9), min_size=norb, max_size=norb))),
    )


@settings(deadline=None)
@given(dump=dumps())
def test_round_trip_is_exact(dump):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "FCIDUMP"
        write_fcidump(path, dump)
        assert_same(read_fcidump(path), dump)


@pytest.mark.parametrize("nelec", [(3, 1), (1, 3), (0, 0), (4, 4)])
def test_each_spin_keeps_its_electrons(rng, tmp_path, nelec):
    dump = random_dump(rng, 4, nelec)
    write_fcidump(tmp_path / "FCIDUMP", dump)
    assert read_fcidump(tmp_path / "FCIDUMP").nelec == nelec


def test_blocks_do_not_show(rng, tmp_path, monkeypatch):
    """Text and tensor are handled in blocks; small ones, cut anywhere, change nothing."""
    dump = random_dump(rng, 5, (3, 2))
    path = tmp_path / "FCIDUMP"
    write_fcidump(path, dump)
    monkeypatch.setattr(fcidump, "_ROWS", 4)
    for size in (1, 40, 41, 97):
        monkeypatch.setattr(fcidump, "_BLOCK", size)
        assert_same(read_fcidump(path), dump)


def test_memory_follows_the_tensor_and_not_the_file(rng, tmp_path, monkeypatch):
    """Nine bytes an element, and some ten times the block for its text and numbers."""
    block = 1 << 18
    dump = random_dump(rng, 30, (2, 2))
    path = tmp_path / "FCIDUMP"
    write_fcidump(path, dump)
    assert path.stat().st_size > 15 * block
    monkeypatch.setattr(fcidump, "_BLOCK", block)
    tracemalloc.start()
    try:
        read_fcidump(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 9 * dump.two_body.size + 10 * block


def test_threshold_leaves_small_integrals_out(tmp_path):
    dump = read_fcidump(file_of(tmp_path))
    write_fcidump(tmp_path / "small", dump, threshold=0.25)
    back = read_fcidump(tmp_path / "small")
    np.testing.assert_array_equal(back.two_body, np.where(TWO_BODY > 0.25, TWO_BODY, 0.0))
    np.testing.assert_array_equal(back.one_body, ONE_BODY)


def test_integrals_that_are_zero_come_back(tmp_path):
    zero = Fcidump((1, 0), 0.0, np.zeros((2, 2)), np.zeros((3, 3)), (1, 1))
    write_fcidump(tmp_path / "FCIDUMP", zero)
    assert_same(read_fcidump(tmp_path / "FCIDUMP"), zero)


# --- PySCF as an independent oracle ------------------------------------------------------------


@pytest.fixture(scope="module")
def water():
    from pyscf import ao2mo, gto, scf

    mol = gto.M(
        atom="O 0 0 0.1173; H 0 0.7572 -0.4692; H 0 -0.7572 -0.4692",
        basis="sto-3g",
        symmetry="C2v",
        verbose=0,
    )
    mf = scf.RHF(mol).run()
    one_body = mf.mo_coeff.T @ mf.get_hcore() @ mf.mo_coeff
    two_body = ao2mo.kernel(mol, mf.mo_coeff)
    return mf, (one_body + one_body.T) / 2, (two_body + two_body.T) / 2


@pytest.mark.parametrize("nelec", [(5, 5), (5, 4), (4, 2)])
def test_reads_what_pyscf_writes(water, tmp_path, nelec):
    from pyscf import fci
    from pyscf.tools import fcidump as oracle

    mf, one_body, two_body = water
    path = str(tmp_path / "FCIDUMP")
    spin = nelec[0] - nelec[1]
    oracle.from_integrals(path, one_body, two_body, 7, nelec, mf.energy_nuc(), spin, tol=0.0)
    dump = read_fcidump(path)
    expected = oracle.read(path, verbose=False)
    assert (sum(dump.nelec), dump.nelec[0] - dump.nelec[1]) == (expected["NELEC"], expected["MS2"])
    assert dump.constant == expected["ECORE"]
    np.testing.assert_array_equal(dump.one_body, expected["H1"])
    np.testing.assert_array_equal(dump.two_body[np.tril_indices(28)], expected["H2"])
    energy = fci.direct_spin1.kernel(
        dump.one_body, dump.two_body, 7, dump.nelec, ecore=dump.constant
    )[0]
    direct = fci.direct_spin1.kernel(one_body, two_body, 7, nelec, ecore=mf.energy_nuc())[0]
    # both are diagonalized to 1e-10; PySCF prints 16 digits, which moves far less
    assert energy == pytest.approx(direct, abs=1e-9)


def test_pyscf_reads_what_we_write(water, tmp_path):
    from pyscf.tools import fcidump as oracle

    mf, one_body, two_body = water
    dump = Fcidump((5, 4), mf.energy_nuc(), one_body, two_body, (1, 1, 2, 1, 3, 1, 2))
    write_fcidump(tmp_path / "FCIDUMP", dump)
    found = oracle.read(str(tmp_path / "FCIDUMP"), verbose=False)
    assert (found["NORB"], found["NELEC"], found["MS2"]) == (7, 9, 1)
    assert found["ORBSYM"] == [1, 1, 2, 1, 3, 1, 2]
    assert found["ECORE"] == dump.constant
    np.testing.assert_array_equal(found["H1"], one_body)
    np.testing.assert_array_equal(found["H2"], two_body[np.tril_indices(28)])


@pytest.mark.parametrize(("molpro", "irreps"), [(False, {0, 2, 3}), (True, {1, 2, 3})])
def test_irreps_are_kept_in_either_numbering(water, tmp_path, molpro, irreps):
    from pyscf.tools import fcidump as oracle

    path = tmp_path / "FCIDUMP"
    oracle.from_scf(water[0], str(path), molpro_orbsym=molpro)
    assert set(read_fcidump(path).orbsym) == irreps


# --- other layouts and other writers' habits ------------------------------------------------------


@pytest.mark.parametrize("fold", [1, 4, 8])
def test_layouts(rng, tmp_path, fold):
    """Each integral once, twice (pairs ordered), or all norb^4 of them, in any order."""
    norb = 3
    dump = random_dump(rng, norb, (2, 1))
    tensor = four_index(dump.two_body, norb)
    lines = []
    for p, q, r, s in itertools.product(range(norb), repeat=4):
        ordered = p >= q and r >= s
        once = ordered and (p, q) >= (r, s)
        if {1: True, 4: ordered, 8: once}[fold]:
            lines.append(f"{tensor[p, q, r, s]!r} {p + 1} {q + 1} {r + 1} {s + 1}")
    for p, q in itertools.product(range(norb), repeat=2):
        if fold == 1 or p >= q:
            lines.append(f"{dump.one_body[p, q]!r} {p + 1} {q + 1} 0 0")
    lines.append(f"{dump.constant!r} 0 0 0 0")
    lines = [line.replace("np.float64(", "").replace(")", "") for line in lines]
    header = "&FCI NORB=3, NELEC=3, MS2=1 &END\n"
    shuffled = [lines[i] for i in rng.permutation(len(lines))]
    assert_same(read_fcidump(file_of(tmp_path, header, shuffled)), dump)


@pytest.mark.parametrize("style", ["%.5f", "%.5E", "%.9f"])
def test_rounding_of_printed_digits_is_no_disagreement(rng, tmp_path, style):
    """Equal integrals computed apart differ by rounding, which may flip the last printed digit."""
    lines = list(LINES[6:])
    for p, q, r, s in itertools.product((0, 1), repeat=4):
        value = four_index(TWO_BODY, 2)[p, q, r, s] + 0.5e-5 + rng.uniform(-1e-12, 1e-12)
        lines.append(f"{style % value} {p + 1} {q + 1} {r + 1} {s + 1}")
    dump = read_fcidump(file_of(tmp_path, lines=lines))
    # half a unit of the fifth digit was added, and up to half a unit is lost in print
    np.testing.assert_allclose(dump.two_body, TWO_BODY, rtol=0, atol=1.01e-5)


@pytest.mark.parametrize(
    "header",
    [
        "&FCI NORB=2,NELEC=2,MS2=0 /\n",
        "&fci norb=2 nelec=2 ms2=0\n orbsym=2*1\n/\n",
        "\n  $FCI NORB= 2,\n  NELEC =2\n  MS2=+0,\n  ORBSYM=1,\n 1,\n $END\n",
        "&FCI NORB=2,NELEC=2,MS2=0,ORBSYM=1,1,&END\n",
        "&FCI NORB=2,NELEC=2,MS2=0,ORBSYM=,ISYM=1,IUHF=0,UHF=.FALSE.,TREL=F\n&End  \n",
        "&FCI ! written by hand\n NORB=2, NELEC=2, MS2=0, ! closed / shell\n PNTGRP=D2H\n &END !\n",
        "&FCI\tNORB=2,NORB=2,\r\nNELEC=2,MS2=0,SYML=0,0,NPROP= 3 1 1\r\n &END\r\n",
    ],
)
def test_headers_of_every_habit(tmp_path, header):
    assert_the_example(read_fcidump(file_of(tmp_path, header)))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("0.7 ", "7.0D-01 ").replace("0.6 ", "0.6d0"),
        lambda text: text.replace("0.7 ", "0.07+1").replace("0.6 ", "6.-001"),
        lambda text: text.replace("0.7  1 1 1 1", "0.7, 1, 1, 1, 1"),
        lambda text: text.replace("0.7  1 1", "\t.7\t1   +1"),
        lambda text: text.replace("0.5  0", "\n  \n0.5  0") + "\n \n",
        lambda text: text.replace("0.5  0", "-20.5 1 0 0 0\n-1.5 2 0 0 0\n0.5  0"),
        lambda text: text.replace("0.7  1", "0.6 1 1 2 2\n0.600000000 2 2 1 1\n0.7  1"),
        lambda text: text.replace("2 2 1 1", "1 1 2 2").replace("2 1 0 0", "1 2 0 0"),
        lambda text: text.removesuffix("\n"),
        lambda text: text.removesuffix("\n") + "  ",
    ],
)
def test_lines_of_every_habit(tmp_path, change):
    path = file_of(tmp_path)
    path.write_text(change(path.read_text()), newline="")
    assert_the_example(read_fcidump(path))


def test_very_small_fortran_values(tmp_path):
    """Fortran drops the E of a three-digit exponent."""
    lines = [line.replace("0.1  2 1 1 1", "-0.1-120 2 1 1 1") for line in LINES]
    assert read_fcidump(file_of(tmp_path, lines=lines)).two_body[1, 0] == -1e-121


# --- files that must be refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("&FCI NORB=2,NELEC=2,MS2=0,IUHF=1 &END\n", r"IUHF=1.*separate alpha and beta.*ROHF"),
        ("&FCI NORB=2,NELEC=2,MS2=0,UHF=.TRUE. &END\n", r"UHF=\.TRUE\..*separate"),
        ("&FCI NORB=2,NELEC=2,MS2=0,uhf=t &END\n", r"UHF=t"),
        ("&FCI NORB=2,NELEC=2,MS2=0,TREL=.TRUE. &END\n", r"relativistic"),
        ("&FCI NELEC=2,MS2=0 &END\n", r"no NORB; add NORB=\.\.\., the number of orbitals"),
        ("&FCI NORB=2,MS2=0 &END\n", r"no NELEC; add"),
        ("&FCI NORB=2,NELEC=2 &END\n", r"no MS2; add MS2=.*MS2=0 for a closed shell"),
        ("&FCI NORB=2,NELEC=,MS2=0 &END\n", r"no NELEC"),
        ("&FCI NORB=two,NELEC=2,MS2=0 &END\n", r"NORB must be one integer.*'two'"),
        ("&FCI NORB=2.5,NELEC=2,MS2=0 &END\n", r"NORB must be one integer.*'2\.5'"),
        ("&FCI NORB=2,NELEC=1,1,MS2=0 &END\n", r"NELEC must be one integer.*'1,1'"),
        ("&FCI NORB=2,NORB=3,NELEC=2,MS2=0 &END\n", r"gives NORB twice"),
        ("&FCI NORB=0,NELEC=0,MS2=0 &END\n", r"NORB must be at least 1; got 0"),
        ("&FCI NORB=-2,NELEC=0,MS2=0 &END\n", r"NORB must be at least 1; got -2"),
        ("&FCI NORB=2,NELEC=5,MS2=1 &END\n", r"NELEC must be 0 to 4 for NORB=2.*got 5"),
        ("&FCI NORB=2,NELEC=-1,MS2=1 &END\n", r"NELEC must be 0 to 4.*got -1"),
        ("&FCI NORB=2,NELEC=2,MS2=1 &END\n", r"MS2=1 is impossible with NELEC=2"),
        ("&FCI NORB=2,NELEC=3,MS2=0 &END\n", r"MS2=0 is impossible with NELEC=3"),
        ("&FCI NORB=4,NELEC=2,MS2=4 &END\n", r"MS2=4 is impossible with NELEC=2"),
        ("&FCI NORB=4,NELEC=2,MS2=-4 &END\n", r"MS2=-4 is impossible with NELEC=2"),
        ("&FCI NORB=2,NELEC=3,MS2=3 &END\n", r"put 3 electrons of one spin.*at most 2 fit"),
        ("&FCI NORB=2,NELEC=2,MS2=0,ORBSYM=1,1,1 &END\n", r"ORBSYM must name one.*got 3"),
        ("&FCI NORB=2,NELEC=2,MS2=0,ORBSYM=A1,B1 &END\n", r"ORBSYM must hold integers; got 'A1'"),
        ("&FCI 2 2 0 &END\n", r"must hold KEY=value pairs; got '2 2 0'"),
        ("&FCI 7, NORB=2 &END\n", r"must hold KEY=value pairs; got '7,'"),
        ("&FCI &END\n", r"no NORB"),
        ("&FCI NORB=2,NELEC=2,MS2=0 &END 0.7 1 1 1 1\n", r"nothing may follow.*'0\.7 1 1 1 1'"),
        ("&FCI NORB=2,NELEC=2,MS2=0,\n", r"no end: neither &END nor /.*cut short"),
        ("NORB=2,NELEC=2,MS2=0 &END\n", r"must start with &FCI; line 1 starts with 'NORB"),
        ("\n&CONTROL NORB=2 &END\n", r"must start with &FCI; line 2"),
        ("&FCIDUMP NORB=2,NELEC=2,MS2=0 &END\n", r"must start with &FCI"),
        ("&FCI NORB=2,NÉLEC=2,MS2=0 &END\n", r"line 1 is not plain text"),
    ],
)
def test_bad_headers(tmp_path, header, message):
    with pytest.raises(InputError, match=rf"(?s)FCIDUMP: .*{message}"):
        read_fcidump(file_of(tmp_path, header))


def test_a_header_without_end_is_not_searched_for_ever(tmp_path):
    lines = ["0.7 1 1 1 1"] * 20_000
    with pytest.raises(InputError, match=r"neither &END nor / in 10000 lines"):
        read_fcidump(file_of(tmp_path, "&FCI NORB=2,NELEC=2,MS2=0\n", lines))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("(0.1,0.0) 2 1 1 1", "complex integral"),
        ("(0.1, 0.0) 2 1 1 1", "complex integral"),
        ("0.1 0.0 2 1 1 1", "complex integral"),
        ("0.1 2 1 1 1 0.0 3", "must hold 5 columns.*got 7"),
        ("0.1 2 1 1", "must hold 5 columns.*got 4.*cut short"),
        ("0.1", "must hold 5 columns.*got 1"),
        ("nan 2 1 1 1", "finite real number"),
        ("-inf 2 1 1 1", "finite real number"),
        ("Infinity 2 1 1 1", "finite real number"),
        ("1E400 2 1 1 1", "overflows"),
        ("1D400 2 1 1 1", "overflows"),
        ("hello 2 1 1 1", "finite real number"),
        ("1_0 2 1 1 1", "finite real number"),
        ("0x1p3 2 1 1 1", "finite real number"),
        ("0.1 2 1 1 x", "four integers"),
        ("0.1 2 1 1 1.5", "four integers"),
        ("0.1 2 1 1 1_0", "four integers"),
        ("0.1 2 1 1 99999999999999999999", "four integers"),
        ("0.1 3 1 1 1", "outside 1 to NORB=2"),
        ("0.1 2 1 -1 1", "outside 1 to NORB=2"),
        ("0.1D0 2 1 3 1", "outside 1 to NORB=2"),
        ("0.1 2 1 1 0", "is no integral"),
        ("0.1 0 0 2 1", "is no integral"),
        ("0.1 0 1 0 0", "is no integral"),
        ("0.1 2 0 1 0", "is no integral"),
        ("\x00\x01 2 1 1 1", "finite real number"),
        ("é.1 2 1 1 1", "finite real number"),
    ],
)
@pytest.mark.parametrize("block", [1 << 22, 16])
def test_bad_lines_are_named(tmp_path, monkeypatch, line, message, block):
    """The header takes four lines and two integrals come before, so it is line 7 always."""
    monkeypatch.setattr(fcidump, "_BLOCK", block)
    lines = [LINES[0], "", line, *LINES[1:]]
    with pytest.raises(InputError, match=f"FCIDUMP: line 7 .*{message}"):
        read_fcidump(file_of(tmp_path, lines=lines))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0.11 2 1 1 1", r"\(2 1\|1 1\) is given twice, as 0.1 and as 0.11"),
        ("0.12 1 1 2 1", r"\(1 1\|2 1\) is given twice, as 0.1 and as 0.12"),
        ("0.13 1 2 1 1", r"\(1 2\|1 1\) is given twice"),
        ("0.1001 1 1 1 2", r"\(1 1\|1 2\) is given twice, as 0.1 and as 0.1001"),
        ("1.0002E-1 2 1 1 1", r"\(2 1\|1 1\) is given twice"),
        ("1.1D-1 2 1 1 1", r"\(2 1\|1 1\) is given twice"),
        ("0.0 2 1 1 1", r"\(2 1\|1 1\) is given twice, as 0.1 and as 0"),
        ("-0.2 1 2 0 0", r"h\(1 2\) is given twice, as -0.3 and as -0.2"),
        ("0.0 0 0 0 0", r"the core energy is given twice, as 0.5 and as 0"),
        ("1.5E308 2 1 1 1", r"\(2 1\|1 1\) is given twice"),
    ],
)
@pytest.mark.parametrize("block", [1 << 22, 16])
def test_integrals_that_disagree(tmp_path, monkeypatch, line, message, block):
    """Within one block of text and across blocks."""
    monkeypatch.setattr(fcidump, "_BLOCK", block)
    with pytest.raises(InputError, match=rf"{message}.*both spins share"):
        read_fcidump(file_of(tmp_path, lines=[*LINES, line, ""]))


def test_spin_resolved_sections_without_a_word_in_the_header(tmp_path):
    """Alpha-alpha, beta-beta, alpha-beta, alpha, beta: PySCF keeps the last it meets."""
    beta = [line.replace("0.6", "0.61") for line in LINES[:6]]
    end = ["0.0 0 0 0 0"]
    lines = [*LINES[:6], *end, *beta, *end, *LINES[:6], *end, *LINES[6:9], *end, LINES[9]]
    with pytest.raises(InputError, match=r"\(2 2\|1 1\) is given twice, as 0.6 and as 0.61.*UHF"):
        read_fcidump(file_of(tmp_path, lines=lines))


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ({9}, r"no core energy, a line `E 0 0 0 0`"),
        ({0}, r"orbital 1 has no self-repulsion, a line `value 1 1 1 1`"),
        ({5}, r"orbital 2 has no self-repulsion, a line `value 2 2 2 2`"),
        ({6, 8}, r"no diagonal one-body integral, `value p p 0 0`"),
        (set(range(10)), r"no core energy"),
    ],
)
def test_vital_integrals_that_are_missing(tmp_path, missing, message):
    lines = [line for number, line in enumerate(LINES) if number not in missing]
    with pytest.raises(InputError, match=f"{message}.*cut short"):
        read_fcidump(file_of(tmp_path, lines=lines))


def test_a_file_cut_anywhere_is_refused(rng, tmp_path):
    """Every proper beginning of a file but the one that only lacks the last line end."""
    path = tmp_path / "FCIDUMP"
    write_fcidump(path, random_dump(rng, 2, (1, 0)))
    whole = path.read_bytes()
    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_fcidump(path)
    path.write_bytes(whole[:-1])
    assert read_fcidump(path).norb == 2


def test_a_last_line_without_end(tmp_path):
    """`0.8 2 2 2 2` may be the beginning of `0.8 2 2 2 21`."""
    path = file_of(tmp_path, lines=[LINES[9], *LINES[:9]])
    path.write_text(path.read_text().removesuffix("\n"))
    with pytest.raises(InputError, match=r"line 14, the last, has no line end.*cut short"):
        read_fcidump(path)


def test_an_empty_file(tmp_path):
    for content in (b"", b"\n \n"):
        (tmp_path / "FCIDUMP").write_bytes(content)
        with pytest.raises(InputError, match="is empty; expected an FCIDUMP file"):
            read_fcidump(tmp_path / "FCIDUMP")


@pytest.mark.parametrize("before", [b"", b"\n", b"&FCI NORB=2,"])
def test_binary_files(rng, tmp_path, before):
    """As where the archive is given by mistake."""
    path = tmp_path / "FCIDUMP"
    path.write_bytes(before + b"\x89HDF\r\n\x1a\n" + rng.bytes(4096))
    with pytest.raises(InputError, match="is not plain text; expected an FCIDUMP file"):
        read_fcidump(path)


def test_binary_integrals(rng, tmp_path):
    path = tmp_path / "FCIDUMP"
    path.write_bytes(HEADER.encode() + b"\xff" * 100 + rng.bytes(4096))
    with pytest.raises(InputError, match="line 5 "):
        read_fcidump(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing; check the path"):
        read_fcidump(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*in-a-file; check the path"):
        read_fcidump(file_of(tmp_path) / "in-a-file")
    with pytest.raises(InputError, match="is a folder; give the FCIDUMP file in it"):
        read_fcidump(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    """Simulated, because an administrator may read everything."""
    path = file_of(tmp_path)
    monkeypatch.setattr(Path, "open", lambda *_: _raise(PermissionError(errno.EACCES, "no")))
    with pytest.raises(PermissionError, match="FCIDUMP may not be read"):
        read_fcidump(path)


def _raise(error):
    raise error


def test_a_tensor_that_does_not_fit(tmp_path):
    path = file_of(tmp_path)
    assert read_fcidump(path, max_memory=81).norb == 2
    with pytest.raises(InputError, match=r"two-electron tensor of 2 orbitals needs .*max_memory"):
        read_fcidump(path, max_memory=80)


def test_a_tensor_that_fits_nowhere(tmp_path):
    """2e34 bytes; refused by the header, before anything is allocated."""
    path = file_of(tmp_path, "&FCI NORB=900000000,NELEC=2,MS2=0 &END\n")
    with pytest.raises(InputError, match="two-electron tensor of 900000000 orbitals needs"):
        read_fcidump(path)


# --- writing ----------------------------------------------------------------------------------


def test_nothing_is_overwritten_unless_asked(tmp_path):
    dump = read_fcidump(file_of(tmp_path))
    old = tmp_path / "old"
    old.write_text("precious")
    with pytest.raises(FileExistsError, match=r"old exists; pass overwrite=True \(--overwrite\)"):
        write_fcidump(old, dump)
    assert old.read_text() == "precious"
    write_fcidump(old, dump, overwrite=True)
    assert_the_example(read_fcidump(old))


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.ENOSPC, "disk full")])
def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch, error):
    dump = read_fcidump(file_of(tmp_path))
    (tmp_path / "old").write_text("precious")

    def interrupted(*_):
        yield "0.7 1 1 1 1\n"
        raise error

    monkeypatch.setattr(fcidump, "_integral_lines", interrupted)
    with pytest.raises(type(error) if isinstance(error, OSError) else error):
        write_fcidump(tmp_path / "old", dump, overwrite=True)
    assert (tmp_path / "old").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["FCIDUMP", "old"]


def test_folders_that_cannot_be_written_to(tmp_path, monkeypatch):
    dump = read_fcidump(file_of(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere; make it"):
        write_fcidump(tmp_path / "nowhere" / "FCIDUMP", dump)
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*FCIDUMP; make it"):
        write_fcidump(tmp_path / "FCIDUMP" / "FCIDUMP", dump)
    with pytest.raises(InputError, match="is a folder; give the name of a file"):
        write_fcidump(tmp_path, dump, overwrite=True)
    for number in (errno.EACCES, errno.EPERM, errno.EROFS):
        monkeypatch.setattr(draft.os, "open", lambda *_, n=number: _raise(OSError(n, "no")))
        with pytest.raises(PermissionError, match=r"No file may be written in .*another folder"):
            write_fcidump(tmp_path / "new", dump)
    monkeypatch.setattr(draft.os, "open", lambda *_: _raise(OSError(errno.EIO, "disk broken")))
    with pytest.raises(OSError, match="disk broken"):
        write_fcidump(tmp_path / "new", dump)


@pytest.mark.parametrize("threshold", [-1e-9, np.nan, np.inf, "small"])
def test_bad_thresholds(tmp_path, threshold):
    dump = read_fcidump(file_of(tmp_path))
    with pytest.raises(InputError, match="threshold must be"):
        write_fcidump(tmp_path / "new", dump, threshold=threshold)
    assert not (tmp_path / "new").exists()


# --- the record ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"orbsym": ()}, "at least 1 orbital"),
        ({"orbsym": (1, 1, 1)}, r"two_body must have shape \(6, 6\); got \(3, 3\)"),
        ({"one_body": np.eye(3)}, r"one_body must have shape \(2, 2\); got \(3, 3\)"),
        ({"one_body": np.array([[1.0, 2.0], [3.0, 4.0]])}, "one_body must be symmetric"),
        ({"two_body": np.array([[1.0, 2, 3], [0, 1, 2], [3, 2, 1]])}, "two_body must be symm.*2.0"),
        ({"two_body": np.full((3, 3), np.nan)}, "two_body has 9 entries that are nan"),
        ({"nelec": (3, 0)}, "nelec must put 0 to 2 electrons"),
        ({"constant": np.inf}, "constant must be finite"),
    ],
)
def test_bad_records(change, message):
    good = {
        "nelec": (1, 1),
        "constant": 0.5,
        "one_body": ONE_BODY,
        "two_body": TWO_BODY,
        "orbsym": (1, 1),
    }
    with pytest.raises(InputError, match=message):
        Fcidump(**(good | change))


def test_arrays_are_read_only(tmp_path):
    dump = read_fcidump(file_of(tmp_path))
    for array in (dump.one_body, dump.two_body):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0

# SPDX-License-Identifier: Apache-2.0
"""The page of an archive says what the archive holds, and is well-formed."""

import html
import re
from html.parser import HTMLParser

import h5py
import pytest

import qlowrank as ql
from qlowrank import cli
from qlowrank.report import html_report

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Outline(HTMLParser):
    """Collects headings, cells and pictures; complains about tags that do not match."""

    def __init__(self):
        super().__init__()
        self.open, self.headings, self.cells, self.pictures, self.foreign = [], [], [], 0, []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.pictures += tag == "svg"
        if tag in ("td", "th"):
            self.cells.append("")
        self.foreign += [v for k, v in attrs if k in ("src", "href") and not v.startswith("#")]

    def handle_startendtag(self, tag, attrs):
        self.foreign += [v for k, v in attrs if k in ("src", "href") and not v.startswith("#")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "svg" in self.open:
            return
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def outline(page):
    found = Outline()
    found.feed(page)
    assert not found.open
    assert not found.foreign
    return found


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "h2.h5"
    hamiltonian = ql.from_example("h2", basis="6-31g")
    factorization = ql.double_factorize(hamiltonian)
    state = ql.ground_state_mps(hamiltonian)
    plan = ql.plan_measurement(factorization, state)
    ql.save(path, hamiltonian, factorization, state, plan)
    return path


def test_everything_that_is_held_is_shown(archive):
    study = ql.load(archive)
    found = outline(html_report(study, ql.verify(archive)))

    assert found.headings[0].startswith("h2 (H2, 6-31g): 4 orbitals, 1 alpha and 1 beta")
    assert {"Pictures", "Groups with most shots", "Checks", "Where it came from"} <= set(
        found.headings
    )
    assert found.pictures == 5  # leaves, shots, and three of entanglement
    largest = int(study.plan.shots.argmax())
    at = found.cells.index(f"{study.plan.shots[largest]:,}")
    assert found.cells[at - 1] == str(largest)
    assert found.cells[at + 2] == f"{study.plan.variances[largest]:.4g}"
    assert study.provenance["content_sha256"] in found.cells
    assert found.cells.count("ok") == len(ql.verify(archive).checks)


def test_chains_are_drawn_however_they_are_held(tmp_path):
    """By themselves, with their entropies, or entropies alone."""
    hamiltonian = ql.from_example("h2")
    mps = ql.ground_state_mps(hamiltonian).mps
    for records in ((mps,), (mps, ql.entanglement(mps)), (ql.entanglement(mps),)):
        ql.save(tmp_path / "a.h5", hamiltonian, *records, overwrite=True)
        page = html_report(ql.load(tmp_path / "a.h5"), ql.verify(tmp_path / "a.h5"))
        assert outline(page).pictures == 3


def test_what_is_not_held_is_left_out(tmp_path):
    ql.save(tmp_path / "a.h5", ql.from_example("h2"))
    found = outline(html_report(ql.load(tmp_path / "a.h5"), ql.verify(tmp_path / "a.h5")))

    assert found.pictures == 0
    assert "Groups with most shots" not in found.headings


def test_the_same_archive_gives_the_same_page(archive):
    study, verification = ql.load(archive), ql.verify(archive)

    assert html_report(study, verification) == html_report(ql.load(archive), verification)


def test_names_are_escaped(tmp_path):
    (tmp_path / "<b>h2&.xyz").write_text("2\n\nH 0 0 0\nH 0 0 0.74\n")
    hamiltonian = ql.from_xyz(tmp_path / "<b>h2&.xyz", basis="sto-3g")
    ql.save(tmp_path / "a.h5", hamiltonian)
    page = html_report(ql.load(tmp_path / "a.h5"), ql.verify(tmp_path / "a.h5"))

    assert outline(page).headings[0].startswith("<b>h2& (H2")
    assert html.escape("<b>h2&") in page
    assert not re.search("<b>", page)


def test_a_forged_archive_is_called_so(archive, tmp_path, capsys):
    forged = tmp_path / "forged.h5"
    forged.write_bytes(archive.read_bytes())
    with h5py.File(forged, "r+") as file:
        file["plan/pricing/variances"][0] *= 2

    assert cli.main(["report", str(forged)]) == 2
    assert "does not hold what it says" in capsys.readouterr().err
    page = forged.with_suffix(".html").read_text("utf-8")
    assert "FAILED" in outline(page).cells
    assert "checks failed" in page


def test_a_page_is_not_overwritten_unasked(archive, tmp_path, capsys):
    page = tmp_path / "page.html"
    page.write_text("mine")

    assert cli.main(["report", str(archive), "-o", str(page)]) == 2
    assert "exists" in capsys.readouterr().err
    assert page.read_text() == "mine"
    assert cli.main(["report", str(archive), "-o", str(page), "--overwrite"]) == 0
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")

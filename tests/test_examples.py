# SPDX-License-Identifier: Apache-2.0
"""Documentation and examples do what they show: every command runs and prints what the page says.

In a console block, each line after `$ ` is a command and the lines below it are its output. `...`
stands for anything, numbers may differ in their last printed digit, and `$ echo $?` tells which
exit status the command before it has (0 where it is not asked).
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pyscf import gto, scf

import qlowrank as ql
from qlowrank.cli import parser
from qlowrank.integrals.geometry import read_xyz
from qlowrank.job import JobRequest, MeasurementRequest, MoleculeRequest, run_job
from qlowrank.report import json_object

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in page.parts),
]
SCRIPTS = [
    *(f"examples/{script.name}" for script in sorted((ROOT / "examples").glob("*.py"))),
    "examples/figures/overview.py --basis sto-3g",
]
CHECKED = ("qlowrank ", "python examples/")
NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\w)")


@dataclass
class Step:
    """One command of a console block."""

    command: str
    expected: str = ""
    status: int = 0


def steps_of(text):
    """Return the checked commands of a page, with what they should print."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block.replace("\\\n> ", ""), flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            if command.strip() == "echo $?":
                steps[-1].status = int(expected)
            elif command.startswith(CHECKED):
                steps.append(Step(command, expected.strip()))
    return steps


def close(expected, shown):
    """Tell whether a printed number agrees with the page, to one unit of the page's last digit."""
    want, got = (float(text.replace(",", "")) for text in (expected, shown))
    mantissa, _, exponent = expected.lower().partition("e")
    _, _, decimals = mantissa.partition(".")
    if not decimals and not exponent:
        return abs(want - got) <= (1e-4 * abs(want) if abs(want) >= 1e4 else 0)
    return abs(want - got) <= 1.001 * 10.0 ** (int(exponent or 0) - len(decimals))


def matches(expected, shown):
    """Compare text with output: white space runs together, `...` is anything, numbers are close."""
    numbers, pattern, end = [], "", 0
    for token in [*re.finditer(rf"\.\.\.|{NUMBER.pattern}", expected), None]:
        literal = expected[end : token.start() if token else None]
        pattern += r"\s+".join(re.escape(word) for word in re.split(r"\s+", literal))
        if token is None:
            break
        end = token.end()
        if token[0] == "...":
            pattern += ".*?"
        else:
            numbers.append(token[0])
            pattern += f"({NUMBER.pattern})"
    found = re.fullmatch(rf"\s*{pattern}\s*", shown, flags=re.DOTALL)
    return bool(found) and all(map(close, numbers, found.groups()))


@pytest.mark.parametrize(
    ("expected", "shown", "agree"),
    [
        ("a 1.25 b", "a  1.26\nb", True),
        ("a 1.25 b", "a 1.27 b", False),
        ("a 1.25 b", "a 1.25", False),
        ("3.0e-14", "3.1e-14", True),
        ("3.0e-14", "3.2e-14", False),
        ("29 groups", "29 groups", True),
        ("29 groups", "30 groups", False),
        ("27,049,318 shots", "27,049,320 shots", True),
        ("27,049,318 shots", "27,149,318 shots", False),
        ("time ... end", "time 0.3 s\nand more end", True),
        ("time ... end", "time 0.3 s", False),
        ("H2O, sto-3g", "H2O, sto-6g", False),
    ],
)
def test_matching_can_fail(expected, shown, agree):
    assert matches(expected, shown) is agree


def test_steps_are_found():
    page = "```console\n$ qlowrank show \\\n> a.h5\none\ntwo\n$ echo $?\n2\n$ ls\n```\n"

    assert steps_of(page) == [Step("qlowrank show a.h5", "one\ntwo", 2)]


@pytest.fixture
def folder(tmp_path):
    """A folder as a clone of the repository has it, where files may be written."""
    for name in ("data", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "docs" / "images").mkdir(parents=True)
    return tmp_path


def run(command, folder):
    """Run a shell command as a reader of the page would."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],  # noqa: S607 (the reader's own shell)
        cwd=folder,
        env={**os.environ, "PATH": path, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if steps_of(page.read_text(encoding="utf-8"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_commands_print_what_the_page_shows(page, folder):
    for step in steps_of(page.read_text(encoding="utf-8")):
        done = run(step.command, folder)
        complaints = [line for line in done.stderr.splitlines() if line.startswith("qlowrank: ")]
        shown = "\n".join([done.stdout, *complaints])

        assert done.returncode == step.status, f"{step.command}\n{shown}\n{done.stderr}"
        if step.expected:
            assert matches(step.expected, shown), f"{step.command}\n{shown}"


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_script_runs(script, folder):
    done = run(f"python {script}", folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_readme_shows_the_water_example():
    """The README's Python example is examples/water.py, word for word."""
    _, _, code = (ROOT / "examples" / "water.py").read_text(encoding="utf-8").split('"""', 2)

    assert f"```python\n{code.strip()}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["water", "n2", "o2", "h10"])
def test_geometries_are_those_of_the_examples(name):
    assert tuple(read_xyz(ROOT / "data" / f"{name}.xyz")) == ql.EXAMPLES[name].atoms


def test_fcidump_is_the_active_space_its_readme_names():
    """Its energies are those of the command in data/README.md, run anew.

    Energies do not depend on the signs of orbitals, which differ between machines. The truncation
    at 1e-6 moves an energy by no more than electrons times residual trace on either side.
    """
    stored = ql.from_fcidump(ROOT / "data" / "water_cas65.fcidump", tolerance=0.0)
    made = ql.from_xyz(ROOT / "data" / "water.xyz", basis="cc-pvdz", active=(6, 5))

    assert stored.nelec == made.nelec
    assert ql.fci_state(stored).energy == pytest.approx(ql.fci_state(made).energy, abs=1e-8)


def test_every_data_file_has_its_provenance():
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "data").iterdir()} - {"README.md"}

    assert files == set(re.findall(r"^\| `([^`]+)`", readme, flags=re.MULTILINE))


def test_ffsim_block_does_what_the_page_says():
    """The block is not a doctest, because ffsim is needed by tests only."""
    page = (ROOT / "docs" / "howto" / "coming_from.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(import ffsim\n.*?)```", page, flags=re.DOTALL)[1]
    mol = gto.M(atom="H 0 0 0; H 0 0 1; H 0 0 2", basis="sto-3g", spin=1, verbose=0)
    hamiltonian = ql.from_pyscf(scf.ROHF(mol).run(conv_tol=1e-11))
    state = ql.fci_state(hamiltonian)
    names = {"hamiltonian": hamiltonian, "state": state}
    names["leaf"] = ql.double_factorize(hamiltonian).leaves[1]
    exec(block, names)  # noqa: S102 (the page's own words)

    # The eigenvector's residual is the square root of what the energy was converged to, 1e-13.
    residual = names["operator"] @ names["vector"] - state.energy * names["vector"]
    assert np.abs(residual).max() < 1e-6
    expected = state.distribution(names["leaf"]).ravel()
    np.testing.assert_allclose(np.abs(names["rotated"]) ** 2, expected, rtol=0, atol=1e-13)


def option_names():
    """Every command, and every option of each, as (command, option)."""
    (commands,) = (action for action in parser()._actions if action.choices)
    for name, command in commands.choices.items():
        yield name, name
        for action in command._actions:
            for option in action.option_strings:
                yield name, option


@pytest.mark.parametrize(("command", "option"), sorted(set(option_names())))
def test_command_line_reference_names_every_option(command, option):
    page = (ROOT / "docs" / "reference" / "command_line.md").read_text(encoding="utf-8")

    assert f"`{option}" in page, f"{option} of {command}"


@pytest.mark.parametrize("name", sorted(set(ql.__all__) - {"__version__"}))
def test_reference_documents_every_public_name(name):
    pages = (
        page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md")
    )

    assert any(
        re.search(rf"^\.\. auto\w+:: ([\w.]+\.)?{name}$", page, re.MULTILINE) for page in pages
    )


def keys_of(value, prefix=""):
    """Dotted names of all keys of nested dictionaries."""
    for key, inner in value.items():
        yield prefix + key
        if isinstance(inner, dict):
            yield from keys_of(inner, f"{prefix}{key}.")


def test_json_reference_names_every_key():
    measurement = MeasurementRequest(state="fci", precision=1.6e-3, fragments="plain")
    outcome = run_job(JobRequest(MoleculeRequest("h2"), "df", measurement))
    page = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([\w.]+)`", page, flags=re.MULTILINE))

    assert set(keys_of(json_object(outcome, None))) <= documented

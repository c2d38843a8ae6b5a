# SPDX-License-Identifier: Apache-2.0
"""The architecture, as a table that a reader can check and a machine does check."""

import ast
import inspect
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest

import qlowrank

ROOT = Path(qlowrank.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]

MAY_IMPORT = {
    "memory": set(),
    "checks": {"memory"},
    "lowrank": {"checks", "memory"},
    "files": {"checks", "memory"},
    "integrals": {"checks", "memory", "lowrank", "files"},
    "hamiltonian": {"checks", "memory", "lowrank", "integrals"},
    "factorization": {"checks", "memory", "lowrank", "files", "integrals", "hamiltonian"},
    "mps": {"checks", "lowrank"},
    "states": {"checks", "lowrank", "integrals", "hamiltonian", "mps"},
    "resources": {"checks", "lowrank", "integrals", "hamiltonian", "factorization"},
    "circuits": {"checks", "lowrank"},
    "evolution": {"checks", "lowrank", "hamiltonian", "factorization", "circuits"},
    "measurement": {
        *("checks", "lowrank", "integrals", "hamiltonian"),
        *("factorization", "states", "mps", "circuits"),
    },
    "archive": {
        *("checks", "lowrank", "integrals", "hamiltonian"),
        *("factorization", "states", "mps", "circuits", "measurement", "files"),
    },
}
"""Room → rooms it may import from. `lowrank` knows no chemistry; `states` and `factorization` are
siblings; `circuits` knows matrices only."""
MAY_IMPORT["job"] = {*MAY_IMPORT["archive"], "archive", "resources"}
MAY_IMPORT["report"] = {*MAY_IMPORT["job"], "job"}
MAY_IMPORT["parallel"] = {"checks", "lowrank"}
MAY_IMPORT["scan"] = {*MAY_IMPORT["report"], "report", "parallel"}
MAY_IMPORT["cli"] = {*MAY_IMPORT["scan"], "scan"}

HEAVY = {"h5py", "matplotlib", "openfermion", "pyscf", "qiskit"}
"""Imported inside functions, so that what does not use them does not wait for them."""


def imported_names(tree):
    """Yield the dotted name of everything a file imports, inside functions as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write the absolute import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def imported_at_once(tree):
    """Yield the packages that a file imports when it is imported itself."""
    if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        return
    if isinstance(tree, ast.Import):
        yield from (alias.name.split(".")[0] for alias in tree.names)
    elif isinstance(tree, ast.ImportFrom):
        yield tree.module.split(".")[0]
    for child in ast.iter_child_nodes(tree):
        yield from imported_at_once(child)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_imports_point_down(path):
    room = path.relative_to(ROOT).with_suffix("").parts[0]
    names = [name.split(".") for name in imported_names(ast.parse(path.read_text("utf-8")))]
    rooms = {name[1] for name in names if name[0] == "qlowrank" and len(name) > 1}
    if room == "__init__":  # names for type checkers, and lazily for everyone
        assert rooms <= set(MAY_IMPORT)
        return
    assert room in MAY_IMPORT, f"say in this table what the room {room} may import"
    assert rooms - {room} - {"__version__"} <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_heavy_packages_are_imported_where_they_are_used(path):
    assert not HEAVY & set(imported_at_once(ast.parse(path.read_text("utf-8"))))


def test_the_table_has_no_circle():
    """Each room may import only rooms that may not import it."""
    for room, below in MAY_IMPORT.items():
        assert room not in below
        assert all(room not in MAY_IMPORT[other] for other in below)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_files_are_small(path):
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_import_is_quick():
    """Nothing heavy comes with `import qlowrank`: not even SciPy."""
    code = "import sys, qlowrank; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "qlowrank" in modules
    assert not {*HEAVY, "scipy", "opt_einsum"} & set(modules)


@pytest.mark.parametrize("name", qlowrank.__all__)
def test_public_names(name):
    """Each resolves, is listed, and says in one line at least what it is."""
    value = getattr(qlowrank, name)
    assert name in dir(qlowrank)
    if name.startswith("__") or not (inspect.isclass(value) or callable(value)):
        return
    text = inspect.getdoc(value)
    assert text
    assert text.splitlines()[0].rstrip().endswith((".", ":"))
    if is_dataclass(value):  # not the signature that dataclasses write where there is none
        assert not text.startswith(f"{name}(")


def test_unknown_names():
    with pytest.raises(AttributeError, match="module 'qlowrank' has no attribute 'nonsense'"):
        _ = qlowrank.nonsense

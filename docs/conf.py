# SPDX-License-Identifier: Apache-2.0
"""Settings of the documentation's builder, Sphinx."""

import re

from docutils import nodes
from numpy import int64
from numpy.typing import ArrayLike, NDArray
from sphinx import addnodes
from sphinx.util.typing import stringify_annotation

import qlowrank
from qlowrank.checks import Array

project = "qlowrank"
author = "The qlowrank developers"
copyright = "The qlowrank developers"
version = release = qlowrank.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = f"qlowrank {release}"
html_theme_options = {"navigation_with_keys": True}

myst_enable_extensions = ["deflist", "dollarmath", "amsmath"]
myst_heading_anchors = 3

default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = ["Source"]

nitpicky = True
nitpick_ignore_regex = [
    ("py:class", r"(numpy|collections|contextlib|pathlib|os|qiskit)\..*"),
    ("py:class", r"Array|ArrayLike|Axes|Figure|Indices"),
    ("py:class", r"QuantumCircuit|PassManager|Pub|SparsePauliOp"),
    # parts that a page describes in words, not by name
    (
        "py:class",
        r"qlowrank\.(states|mps|measurement|hamiltonian)\.\w+(\.\w+)?\.("
        r"Integrals|Session|Settings|Solution|ChainOperator|SiteOrbitals|GroundState|Place|Outcomes|"
        r"ExactIntegrals|Trial)",
    ),
    ("py:class", r"qlowrank\.circuits\.chain\.prepare\.ChainMethod"),
    ("py:class", r"qlowrank\.factorization\..*\.(ShiftProblem|PointMethod|Objective|Record|Start)"),
    (
        "py:class",
        r"qlowrank\.(states\.(ground|sites)|mps\.sectors|measurement\.outcomes|"
        r"hamiltonian\.exact)\.\w+",
    ),
]

ALIASES = {"Array": Array, "Indices": NDArray[int64], "ArrayLike": ArrayLike}
SHORT = {stringify_annotation(hint, "smart"): name for name, hint in ALIASES.items()}
FIELDS = {"attribute", "data", "property"}
HIDDEN = {}


def shorten_hints(app, what, name, obj, options, signature, returns):  # noqa: ARG001
    """Write `Array` and `ArrayLike` where Python has spelled them out."""
    for long, short in SHORT.items():
        signature = signature and signature.replace(long, short)
        returns = returns and returns.replace(long, short)
    return signature, returns


def hide_fields(app, what, name, obj, options, lines):  # noqa: ARG001
    """Take a field's text away before napoleon reads the words up to a colon as its type."""
    if what in FIELDS:
        HIDDEN[name] = list(lines)
        lines.clear()


def show_fields(app, what, name, obj, options, lines):  # noqa: ARG001
    """Put it back."""
    if what in FIELDS:
        lines[:] = HIDDEN.pop(name)


def shorten_types(app, doctree, docname):  # noqa: ARG001
    """Write the types of fields the short way too."""
    for annotation in doctree.findall(addnodes.desc_annotation):
        text = annotation.astext()
        for long, short in SHORT.items():
            text = text.replace(re.sub(r"~(\w+\.)*", "", long), short)
        if text != annotation.astext():
            annotation[:] = [nodes.Text(text)]


def setup(app):
    """Hook into autodoc."""
    app.connect("autodoc-process-signature", shorten_hints)
    app.connect("autodoc-process-docstring", hide_fields, priority=400)
    app.connect("autodoc-process-docstring", show_fields, priority=600)
    app.connect("doctree-resolved", shorten_types)

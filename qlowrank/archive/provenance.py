# SPDX-License-Identifier: Apache-2.0
"""What the root of an archive says about where its content came from."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from qlowrank import __version__
from qlowrank.archive.format import FORMAT, SCHEMA_VERSION

PACKAGES = ("numpy", "scipy", "pyscf", "qiskit", "openfermion", "h5py")
"""Packages whose versions are recorded; they are looked up, not imported."""

CONVENTIONS = {
    "convention_units": "hartree",
    "convention_index_order": "chemists (pq|rs), real spatial orbitals",
    "convention_spin_order": "block, alpha first",
}


def root_attributes(held: dict[str, Any]) -> dict[str, Any]:
    """Return the root attributes of an archive of these records, its content hash apart."""
    import h5py

    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "creator": "qlowrank",
        "creator_version": __version__,
        **{f"version_{name}": _version(name) for name in PACKAGES},
        "version_hdf5": h5py.version.hdf5_version,
        **CONVENTIONS,
        **attributes_of_records(held),
    }


def attributes_of_records(held: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that repeat what the records say, for readers who look no further."""
    attributes: dict[str, Any] = {}
    for kind in ("hamiltonian", "factorization"):
        if kind in held:
            source = held[kind].source
            attributes["source_name"] = source.name
            attributes["source_origin"] = source.origin
            attributes["input_sha256"] = source.digest
            if source.molecule is not None:
                for name in ("formula", "geometry", "basis", "charge", "spin"):
                    attributes[name] = getattr(source.molecule, name)
            break
    if "run" in held:
        run = held["run"]
        attributes["command"] = run.command
        attributes["parameters"] = run.parameters
        if run.seed is not None:
            attributes["seed"] = run.seed
    return attributes


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"

# SPDX-License-Identifier: Apache-2.0
r"""Archives: one HDF5 file a study, atomic, hashed, versioned, and readable without qlowrank.

`save` writes records, `load` opens them, `verify` recomputes the hashes and then the science. The
layout is described in `qlowrank.archive.format`.

A file made so:

>>> import tempfile
>>> import qlowrank as ql
>>> folder = tempfile.TemporaryDirectory()
>>> path = f"{folder.name}/water.h5"
>>> ql.save(path, ql.from_example("water"))

is read, checked and used with h5py alone so:

>>> import hashlib
>>> import h5py
>>> import numpy as np
>>> with h5py.File(path) as file:
...     kind, version, formula = (file.attrs[k] for k in ("format", "schema_version", "formula"))
...     dataset = file["hamiltonian/factors"]
...     factors = dataset[()]
...     units, axes, stored = (dataset.attrs[k] for k in ("units", "axes", "sha256"))
...     one_body = file["hamiltonian/one_body"][()]
...     constant = sum(value[()] for value in file["hamiltonian/constants"].values())
...     n_alpha, n_beta = file["hamiltonian/nelec"]
>>> print(kind, version, formula, units, axes)
qlowrank 3 H2O hartree^0.5 factor,orbital,orbital
>>> text = f"{factors.dtype.str}{factors.shape}".encode()
>>> hashlib.sha256(text + factors.tobytes()).hexdigest() == stored
True
>>> two_body = np.einsum("tpq,trs->pqrs", factors, factors)  # (pq|rs), chemists' order, Hartree
>>> n = n_alpha  # water is a closed shell: the first n orbitals are doubly filled
>>> coulomb = np.einsum("iijj->", two_body[:n, :n, :n, :n])
>>> exchange = np.einsum("ijij->", two_body[:n, :n, :n, :n])
>>> energy = constant + 2 * np.trace(one_body[:n, :n]) + 2 * coulomb - exchange
>>> print(f"{energy:.5f} Hartree")
-74.96298 Hartree

>>> folder.cleanup()
"""

from qlowrank.archive.check import Check, Verification
from qlowrank.archive.kinds import FACTORIZATIONS
from qlowrank.archive.run_record import RunRecord
from qlowrank.archive.study import Study, load
from qlowrank.archive.verification import verify
from qlowrank.archive.writer import save

__all__ = [
    "FACTORIZATIONS",
    "Check",
    "RunRecord",
    "Study",
    "Verification",
    "load",
    "save",
    "verify",
]

# SPDX-License-Identifier: Apache-2.0
"""Electron repulsion integrals in atomic orbitals, by pairs of shells, through PySCF's libcint.

A pair of atomic orbitals μ ≥ ν has index μ(μ+1)/2 + ν. A batch of shell pairs is a stateless task:
everything it needs is in the record `Shells`, which can be sent to another process.
"""

import ctypes
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlowrank.checks import Array
from qlowrank.integrals.pairs import pair_index

CUTOFF = 1e-15
"""Integrals that the Schwarz inequality proves to be below this, in Hartree, are not computed."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shells:
    """Shells of contracted Gaussians, in libcint's tables."""

    atm: NDArray[np.int32] = field(metadata={"units": "1", "axes": "atom,slot"})
    """Atoms, libcint's layout."""
    bas: NDArray[np.int32] = field(metadata={"units": "1", "axes": "shell,slot"})
    """Shells, libcint's layout."""
    env: Array = field(metadata={"units": "1", "axes": "slot"})
    """Exponents, coefficients and coordinates, libcint's layout."""
    intor: str
    """"int2e_sph" or "int2e_cart"."""

    @cached_property
    def starts(self) -> Integers:
        """First atomic orbital of each shell, and their number at the end, (n_shells + 1,)."""
        from pyscf.gto.moleintor import make_loc

        return np.asarray(make_loc(self.bas, self.intor), dtype=np.int64)

    @property
    def n_shells(self) -> int:
        """Number of shells."""
        return len(self.bas)

    @property
    def nao(self) -> int:
        """Number of atomic orbitals."""
        return int(self.starts[-1])

    @cached_property
    def widest(self) -> int:
        """Most functions a shell pair can have."""
        return int(np.diff(self.starts).max(initial=0)) ** 2

    @cached_property
    def pairs(self) -> Integers:
        """Shell pairs (k, l), k ≥ l, shape (n, 2)."""
        return np.stack(np.tril_indices(self.n_shells), axis=1)

    @cached_property
    def owner(self) -> Integers:
        """For each pair of atomic orbitals the shell pair it belongs to, shape (npair,)."""
        shell = np.repeat(np.arange(self.n_shells), np.diff(self.starts))
        rows, cols = np.tril_indices(self.nao)
        high, low = shell[rows], shell[cols]
        return np.asarray(high * (high + 1) // 2 + low)

    @cached_property
    def index(self) -> Integers:
        """Pair index of each two atomic orbitals, shape (nao, nao)."""
        return pair_index(self.nao)

    @cached_property
    def optimizer(self) -> Any:
        """Tables of primitive pairs for libcint; made once a process."""
        from pyscf.gto.moleintor import make_cintopt

        return make_cintopt(self.atm, self.bas, self.env, self.intor)

    @cached_property
    def diagonal(self) -> Array:
        """Each (μν|μν), shape (npair,), Hartree."""
        from pyscf.gto.moleintor import libcgto

        evaluate, widths = getattr(libcgto, self.intor), np.diff(self.starts)
        block, four = np.empty(self.widest**2), (ctypes.c_int * 4)()
        tables = (
            *(self.atm.ctypes.data_as(ctypes.c_void_p), ctypes.c_int(len(self.atm))),
            *(self.bas.ctypes.data_as(ctypes.c_void_p), ctypes.c_int(len(self.bas))),
            self.env.ctypes.data_as(ctypes.c_void_p),
        )
        to = block.ctypes.data_as(ctypes.c_void_p)
        found = []
        for first, second in self.pairs.tolist():
            four[:] = [first, second, first, second]
            evaluate(to, None, four, *tables, self.optimizer, None)
            count = int(widths[first] * widths[second])  # the block is a matrix, (lk, lk)
            found.append(block[: count**2 : count + 1].copy())
        values = np.empty(self.nao * (self.nao + 1) // 2)
        shell = np.repeat(np.arange(self.n_shells), widths)
        high, low = np.nonzero(shell[:, None] >= shell)
        order = np.lexsort((high, low, shell[low], shell[high]))
        values[self.index[high[order], low[order]]] = np.concatenate(found)
        return values

    @cached_property
    def bounds(self) -> Array:
        """Largest sqrt((kl|kl)) of each shell pair, (n_shells, n_shells), Hartree^½."""
        largest = np.zeros(len(self.pairs))
        np.maximum.at(largest, self.owner, np.sqrt(np.maximum(self.diagonal, 0.0)))
        matrix = np.zeros((self.n_shells, self.n_shells))
        matrix[self.pairs[:, 0], self.pairs[:, 1]] = largest
        matrix[self.pairs[:, 1], self.pairs[:, 0]] = largest
        return matrix

    @cached_property
    def effort(self) -> Array:
        """About how long each shell pair's columns take, shape (n_pairs,), in any unit.

        Libcint goes through pairs of primitive functions, longer through those of higher angular
        momentum, and for the simplest ones there is a call to pay for. In cc-pVDZ this tells times
        that differ twentyfold to a factor of 1.3.
        """
        primitives, momentum = self.bas[:, 2], self.bas[:, 1]
        ends = (primitives * (momentum + 1))[self.pairs]
        return np.asarray(2.0 + ends[:, 0] * ends[:, 1])

    def __getstate__(self) -> dict[str, Any]:
        """Send the tables, and the bounds, which take longest; all else is made anew."""
        names = ("atm", "bas", "env", "intor")
        return {**{name: self.__dict__[name] for name in names}, "bounds": self.bounds}

    def functions(self, pair: Integers) -> Integers:
        """Pairs of atomic orbitals of a shell pair, k slow and l fast, shape (dk · dl,)."""
        first, second = (slice(*self.starts[s : s + 2]) for s in pair)
        return self.index[first, second].ravel()


def positions(functions: Integers, pairs: Integers) -> Integers:
    """Where `pairs` stand among the functions of a shell pair, first occurrences."""
    order = np.argsort(functions, kind="stable")
    return np.asarray(order[np.searchsorted(functions[order], pairs)])


def shells_of(mol: Any) -> Shells:
    """Return the shells of a PySCF molecule."""
    return Shells(
        atm=np.array(mol._atm, dtype=np.int32),  # noqa: SLF001 (PySCF's public idiom)
        bas=np.array(mol._bas, dtype=np.int32),  # noqa: SLF001
        env=np.array(mol._env, dtype=np.float64),  # noqa: SLF001
        intor=mol._add_suffix("int2e"),  # noqa: SLF001
    )


class Rows:
    """Which rows (μν| of the integrals are wanted: all, or those of some shell pairs."""

    def __init__(self, shells: Shells, wanted: NDArray[np.bool_] | None = None) -> None:
        from pyscf.scf import _vhf

        bounds = shells.bounds.copy()
        if wanted is not None:
            unwanted = shells.pairs[~wanted]
            bounds[unwanted[:, 0], unwanted[:, 1]] = 0.0
            bounds[unwanted[:, 1], unwanted[:, 0]] = 0.0
        self._bounds = bounds
        self._screen = _vhf._CVHFOpt()  # noqa: SLF001 (the driver's own argument)
        self._screen.nbas = shells.n_shells
        self._screen.direct_scf_tol = CUTOFF
        self._screen.fprescreen = _vhf._fpointer("CVHFnr_schwarz_cond")  # noqa: SLF001
        self._this = ctypes.pointer(self._screen)
        self._cintopt = shells.optimizer
        self._intor = shells.intor

    def allow(self, shells: Shells, pair: Integers) -> None:
        """Make ready for the columns of one shell pair, which is screened by its own size."""
        self._current = self._bounds.copy()
        for ends in (tuple(pair), tuple(pair[::-1])):
            self._current[ends] = shells.bounds[ends]
        self._screen.q_cond = self._current.ctypes.data_as(ctypes.c_void_p)


def columns(shells: Shells, pair: Integers, rows: Rows, out: Array) -> Array:
    """Return (μν|kl) for one shell pair kl, shape (dk · dl, npair), Hartree.

    Rows of shell pairs that are not wanted, and integrals below `CUTOFF`, are zero.

    Args:
        shells: The basis.
        pair: Shells (k, l).
        rows: The rows that are wanted.
        out: Buffer of at least dk · dl rows.
    """
    from pyscf import lib
    from pyscf.ao2mo._ao2mo import nr_e1fill

    width = int(np.prod(shells.starts[pair + 1] - shells.starts[pair]))
    rows.allow(shells, pair)
    start = int(pair[0]) * shells.n_shells + int(pair[1])
    part = out[:width]
    with lib.with_omp_threads(1):  # shell pairs are shared out to threads by the callers
        nr_e1fill(
            shells.intor,
            (start, start + 1, width),
            shells.atm,
            shells.bas,
            shells.env,
            aosym="s2ij",
            ao2mopt=rows,
            out=part,
        )
    return part

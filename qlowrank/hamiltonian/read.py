# SPDX-License-Identifier: Apache-2.0
"""From any source of integrals to the sum-of-squares Hamiltonian."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.hamiltonian.definiteness import indefiniteness
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.integrals import examples
from qlowrank.integrals.arrays import read_arrays
from qlowrank.integrals.direct.read import is_direct, read_directly
from qlowrank.integrals.direct.record import Squares
from qlowrank.integrals.fcidump import read_fcidump
from qlowrank.integrals.geometry import converge, read_xyz
from qlowrank.integrals.mean_field import read_pyscf
from qlowrank.integrals.molecular_data import read_molecular_data
from qlowrank.integrals.pairs import DensePairs, unpack
from qlowrank.integrals.record import Constants, Integrals, Source
from qlowrank.lowrank import IndefiniteError, PivotedCholesky, Progress, Truncation

DEFAULT_TOLERANCE = 1e-6
"""Largest error of any two-electron integral, Hartree, unless another is asked for."""


def decompose(
    integrals: Integrals, *, tolerance: float = DEFAULT_TOLERANCE, progress: Progress | None = None
) -> Hamiltonian:
    """Write integrals as a sum of squares by pivoted Cholesky decomposition.

    Args:
        integrals: One- and two-electron integrals behind their door.
        tolerance: No element of (pq|rs) may change by more than this, Hartree.
        progress: Called as the vectors come.

    Raises:
        InputError: The integrals are not positive semidefinite, or the tolerance is not usable.
    """
    method = PivotedCholesky(tolerance=checks.tolerance(tolerance))
    result = method(integrals.pairs, progress)
    norb = integrals.norb
    residual = unpack(result.residual_diagonal, norb)
    return Hamiltonian(
        constants=integrals.constants,
        one_body=integrals.one_body,
        kappa=integrals.one_body - integrals.pairs.exchange_of_identity() / 2,
        factors=unpack(result.vectors, norb),
        nelec=integrals.nelec,
        truncation=Truncation(
            rank=len(result.vectors),
            tolerance=method.tolerance,
            max_error=result.max_error,
            discarded=float(residual.sum()),
        ),
        source=integrals.source,
    )


def from_pyscf(
    source: Any,
    *,
    tolerance: float = DEFAULT_TOLERANCE,
    active: tuple[int, int] | None = None,
    name: str | None = None,
    max_memory: float | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> Hamiltonian:
    """Read a converged PySCF RHF or ROHF mean field, or a CASCI or CASSCF object.

    Args:
        source: The PySCF object. Its energy must be rebuilt by its integrals to 1e-8 Hartree.
        tolerance: Largest permitted error of any (pq|rs), Hartree.
        active: (electrons, orbitals) around the Fermi level; mean fields only.
        name: What to call it; the molecule's formula by default.
        max_memory: Bytes the dense tensor may take; the machine's free memory by default.
        checkpoint: A folder to keep work in while it is done, from 60 atomic orbitals on; smaller
            molecules take seconds and keep nothing. An interrupted run that is repeated with the
            same input goes on from there; a finished one removes the folder.
        progress: Called as the Cholesky vectors come.

    Raises:
        InputError: Unsupported, unconverged or inconsistent input, or too large a tensor.

    >>> from pyscf import gto, scf
    >>> mol = gto.M(atom="H 0 0 0; H 0 0 1", basis="sto-3g", verbose=0)
    >>> from_pyscf(scf.RHF(mol).run())
    Hamiltonian(H2: 2 orbitals, nelec=(1, 1), 3 factors, |error| <= ... Hartree)
    """
    checks.tolerance(tolerance)
    if is_direct(source):
        squares = read_directly(
            source,
            tolerance=tolerance,
            active=active,
            max_memory=max_memory,
            checkpoint=checkpoint,
            progress=progress,
        )
        hamiltonian = _from_squares(squares)
    else:
        integrals = read_pyscf(source, active=active, max_memory=max_memory)
        hamiltonian = decompose(integrals, tolerance=tolerance, progress=progress)
    if name is None:
        return hamiltonian
    return replace(hamiltonian, source=replace(hamiltonian.source, name=name))


def _from_squares(squares: Squares) -> Hamiltonian:
    """Take over what was decomposed without the four-index tensor."""
    return Hamiltonian(
        constants=squares.constants,
        one_body=squares.one_body,
        kappa=squares.kappa,
        factors=squares.factors,
        nelec=squares.nelec,
        truncation=squares.truncation,
        source=squares.source,
    )


def from_xyz(
    path: str | Path,
    *,
    basis: str,
    charge: int = 0,
    spin: int | None = None,
    active: tuple[int, int] | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Hamiltonian:
    """Read a geometry, converge RHF or ROHF with PySCF, and decompose its integrals.

    Args:
        path: XYZ file, Ångström.
        basis: Basis set by name.
        charge: Total charge.
        spin: n_alpha − n_beta; 0 or 1 by default.
        active: (electrons, orbitals) around the Fermi level.
        tolerance: Largest permitted error of any (pq|rs), Hartree.

    Raises:
        InputError: An unusable file, basis, charge, spin or active space.
        NotConvergedError: The SCF did not converge.
    """
    checks.tolerance(tolerance)
    mean_field = converge(read_xyz(path), basis=basis, charge=charge, spin=spin)
    return from_pyscf(mean_field, tolerance=tolerance, active=active, name=Path(path).stem)


def from_fcidump(
    path: str | Path,
    *,
    tolerance: float = DEFAULT_TOLERANCE,
    max_memory: float | None = None,
    progress: Progress | None = None,
) -> Hamiltonian:
    """Read an FCIDUMP file of real orbitals with eightfold symmetry.

    Args:
        path: The file; its header is checked, not trusted.
        tolerance: Largest permitted error of any (pq|rs), Hartree.
        max_memory: Bytes the dense tensor may take; the machine's free memory by default.
        progress: Called as the Cholesky vectors come.

    Raises:
        InputError: A header or integral that is missing, inconsistent or unsupported.
        FileNotFoundError: No such file.
    """
    checks.tolerance(tolerance)
    dump = read_fcidump(path, max_memory=max_memory)
    source = Source(
        name=Path(path).stem,
        origin="FCIDUMP",
        molecule=None,
        references=(),
        digest=_file_digest(path),
    )
    integrals = Integrals(
        constants=Constants(other=dump.constant),
        one_body=dump.one_body,
        pairs=DensePairs(dump.two_body),
        nelec=dump.nelec,
        source=source,
    )
    return _decompose_checked(integrals, tolerance, progress)


def from_integrals(
    constant: float,
    one_body: ArrayLike,
    two_body: ArrayLike,
    nelec: tuple[int, int],
    *,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Hamiltonian:
    """Read plain arrays over real orthonormal orbitals, chemists' order, no ½ folded in.

    Args:
        constant: Nuclear repulsion plus frozen core, Hartree.
        one_body: h, shape (norb, norb), Hartree.
        two_body: (pq|rs), shape (norb,)*4, or packed over pairs p ≥ q, (npair, npair); Hartree.
        nelec: (n_alpha, n_beta).
        tolerance: Largest permitted error of any (pq|rs), Hartree.

    Raises:
        InputError: Complex, non-finite, misshapen, asymmetric or indefinite arrays.

    >>> from_integrals(0.0, [[-1.0]], [[[[0.5]]]], (1, 1)).rank
    1
    """
    checks.tolerance(tolerance)
    return _decompose_checked(read_arrays(constant, one_body, two_body, nelec), tolerance, None)


def from_openfermion(molecular_data: Any, *, tolerance: float = DEFAULT_TOLERANCE) -> Hamiltonian:
    """Read an OpenFermion `MolecularData` whose integrals have been computed.

    Args:
        molecular_data: The object, its `load()` called.
        tolerance: Largest permitted error of any (pq|rs), Hartree.

    Raises:
        InputError: Integrals are missing, or do not rebuild its Hartree-Fock energy.
    """
    checks.tolerance(tolerance)
    return _decompose_checked(read_molecular_data(molecular_data), tolerance, None)


def from_example(
    name: str,
    *,
    basis: str | None = None,
    active: tuple[int, int] | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
    progress: Progress | None = None,
) -> Hamiltonian:
    """Return the Hamiltonian of a built-in example.

    Args:
        name: One of `ql.EXAMPLES`, or "femoco".
        basis: Instead of the example's own.
        active: (electrons, orbitals) instead of the example's own.
        tolerance: Largest permitted error of any (pq|rs), Hartree.
        progress: Called as the Cholesky vectors come.

    Raises:
        InputError: No such example, or one that comes as integrals and takes no basis.

    >>> from_example("h2").rank
    3
    """
    checks.tolerance(tolerance)
    if name == examples.FEMOCO:
        if basis is not None or active is not None:
            raise InputError(
                "femoco comes as integrals of 54 orbitals; leave basis and active out."
            )
        return _decompose_checked(examples.read_femoco(), tolerance, progress)
    if name not in examples.EXAMPLES:
        known = ", ".join([*examples.EXAMPLES, examples.FEMOCO])
        raise InputError(f"There is no example {name!r}; there are {known}.")
    example = examples.EXAMPLES[name]
    mean_field = converge(list(example.atoms), basis=basis or example.basis, spin=example.spin)
    return from_pyscf(
        mean_field,
        tolerance=tolerance,
        active=active or example.active,
        name=name,
        progress=progress,
    )


def _decompose_checked(
    integrals: Integrals, tolerance: float, progress: Progress | None
) -> Hamiltonian:
    """Decompose integrals that no quantum-chemistry code vouches for, and compare every element.

    The residual's diagonal bounds the rest only if the matrix is positive semidefinite; here it is
    dense, so that can be checked rather than trusted.
    """
    try:
        hamiltonian = decompose(integrals, tolerance=tolerance, progress=progress)
    except IndefiniteError as found:
        raise IndefiniteError(
            f"The two-electron integrals are indefinite: {indefiniteness(integrals.pairs)}. {found}"
        ) from found
    rows, cols = np.tril_indices(integrals.norb)
    vectors = hamiltonian.factors[:, rows, cols]
    largest = 0.0
    for start in range(0, len(rows), 512):
        part = np.arange(start, min(start + 512, len(rows)))
        error = np.abs(integrals.pairs.columns(part) - vectors[:, part].T @ vectors)
        largest = max(largest, float(error.max(initial=0.0)))
    scale = float(integrals.pairs.diagonal().max(initial=1.0))
    bound = max(hamiltonian.max_abs_error_bound, float(tolerance))
    if largest > bound + 1e-12 * len(rows) * scale:
        raise IndefiniteError(
            "The two-electron integrals are not positive semidefinite: with every diagonal "
            f"residual at most {hamiltonian.max_abs_error_bound:.1e} Hartree, an off-diagonal one "
            f"is {largest:.2e}; {indefiniteness(integrals.pairs)}. Check that no integrals are "
            "missing, that their order is (pq|rs), and that the tolerance is not below their "
            "precision."
        )
    return replace(
        hamiltonian,
        truncation=replace(
            hamiltonian.truncation, max_error=max(largest, hamiltonian.max_abs_error_bound)
        ),
    )


def _file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    import hashlib

    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

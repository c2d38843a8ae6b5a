# SPDX-License-Identifier: Apache-2.0
"""Integrals from plain arrays, checked for shape, symmetry and index order."""

import numpy as np
from numpy.typing import ArrayLike

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.integrals.pairs import DensePairs
from qlowrank.integrals.record import Constants, Integrals, Source, fingerprint

SYMMETRY_TOLERANCE = 1e-8
"""Largest difference, in Hartree, between integrals that symmetry makes equal."""

_EIGHTFOLD = ((1, 0, 2, 3), (0, 1, 3, 2), (2, 3, 0, 1))


def read_arrays(
    constant: float, one_body: ArrayLike, two_body: ArrayLike, nelec: tuple[int, int]
) -> Integrals:
    """Read integrals over real orthonormal orbitals, chemists' order (pq|rs), no ½ folded in.

    Args:
        constant: Nuclear repulsion plus frozen core, Hartree.
        one_body: h, shape (norb, norb), Hartree.
        two_body: (pq|rs), shape (norb, norb, norb, norb), or packed over pairs p ≥ q as
            (npair, npair); Hartree.
        nelec: (n_alpha, n_beta).

    Raises:
        InputError: Complex, non-finite, misshapen or not eightfold symmetric input.
    """
    shape = _shape("one_body", one_body)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise InputError(f"one_body must have shape (norb, norb); got {shape}.")
    norb = shape[0]
    packed = _packed(two_body, norb)
    number = checks.finite("constant", constant)
    one = checks.symmetric("one_body", one_body, norb)
    electrons = checks.electrons(nelec, norb)
    source = Source(
        name="arrays",
        origin="arrays",
        molecule=None,
        references=(),
        digest=fingerprint(number, one, packed, electrons),
    )
    return Integrals(
        constants=Constants(other=number),
        one_body=one,
        pairs=DensePairs(packed),
        nelec=electrons,
        source=source,
    )


def _shape(name: str, value: ArrayLike) -> tuple[int, ...]:
    """Return the shape of an array, or say that it has none."""
    try:
        return np.shape(value)
    except ValueError as error:
        raise InputError(f"{name} must be an array; its rows differ in length.") from error


def _packed(two_body: ArrayLike, norb: int) -> Array:
    """Return the integrals over pairs, from either layout."""
    npair = norb * (norb + 1) // 2
    shape = _shape("two_body", two_body)
    if shape == (npair, npair):
        return _symmetrised(checks.symmetric("packed two_body", two_body, npair))
    if shape != (norb,) * 4:
        raise InputError(
            f"two_body must have shape {(norb,) * 4} or, packed over pairs, {(npair, npair)}; "
            f"got {shape}."
        )
    tensor = checks.readonly("two_body", two_body, (norb,) * 4)
    _refuse_asymmetric(tensor)
    rows, cols = np.tril_indices(norb)
    return _symmetrised(tensor[rows, cols][:, rows, cols])


def _symmetrised(packed: Array) -> Array:
    """Make (pq|rs) = (rs|pq) exact where it holds but for rounding."""
    return packed if np.array_equal(packed, packed.T) else (packed + packed.T) / 2


def _asymmetry(tensor: Array) -> float:
    """Largest violation of the eightfold symmetry of (pq|rs)."""
    return max((float(np.abs(tensor - tensor.transpose(p)).max()) for p in _EIGHTFOLD), default=0.0)


def _refuse_asymmetric(tensor: Array) -> None:
    """Refuse what is not (pq|rs) over real orbitals, naming the order that it seems to be in."""
    if tensor.size == 0:
        return
    gap = _asymmetry(tensor)
    allowed = SYMMETRY_TOLERANCE * max(1.0, float(np.abs(tensor).max()))
    if gap <= allowed:
        return
    hint = "Check how the tensor was made."
    for order, name, remedy in (
        ((0, 2, 1, 3), "physicists' order <pq|rs>", "two_body.transpose(0, 2, 1, 3)"),
        ((0, 3, 1, 2), "OpenFermion's order", "two_body.transpose(0, 3, 1, 2)"),
    ):
        if _asymmetry(tensor.transpose(order)) <= allowed:
            hint = f"It looks like {name}: pass {remedy}."
            break
    raise InputError(
        "two_body must be in chemists' order over real orbitals, "
        f"(pq|rs) = (qp|rs) = (pq|sr) = (rs|pq); it breaks this by up to {gap:.2e} Hartree. {hint}"
    )

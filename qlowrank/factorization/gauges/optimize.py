# SPDX-License-Identifier: Apache-2.0
"""Optimise the gauge: the lowest one-norm among all ways to write the same squares."""

from dataclasses import dataclass, replace

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.packing import packed, unpacked
from qlowrank.factorization.double import double_factorize
from qlowrank.factorization.gauge import Gauge, with_positive_peak
from qlowrank.factorization.gauges.descent import GaugeDescent, GaugeStatus
from qlowrank.factorization.gauges.encoding import SquareEncoding
from qlowrank.factorization.gauges.landscape import GaugeLandscape, GaugePoint
from qlowrank.factorization.gauges.local import LocalGauge
from qlowrank.factorization.record import DoubleFactorization, FactorizationStatus
from qlowrank.factorization.shift import MedianShift, OneNormShift, shift_symmetry
from qlowrank.factorization.symmetry import SymmetryShift
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import Progress


@dataclass(frozen=True, eq=False)
class GaugeResult:
    """A shifted factorization in an optimised gauge."""

    factorization: DoubleFactorization
    """The leaves; the integrals are those of the Hamiltonian, to rounding."""
    optimizer: GaugeStatus
    """How the optimisation went."""


@dataclass(frozen=True, eq=False)
class _Given:
    """Gauge: factors that are mixed already."""

    name: str
    mixed: Array

    def __call__(self, factors: Array) -> Array:  # noqa: ARG002
        """Return the mixed factors, as many as there are leaves."""
        return self.mixed


def given_gauge(name: str, factors: Array) -> Gauge:
    """Return the gauge that answers with these factors, shape (n_leaves, norb, norb)."""
    return _Given(name, factors)


def optimize_gauge(
    hamiltonian: Hamiltonian,
    *,
    shift: bool = True,
    extra_leaves: int | None = None,
    method: GaugeDescent | None = None,
    progress: Progress | None = None,
) -> GaugeResult:
    r"""Mix the factors, and shift them by the number of electrons, for the lowest one-norm.

    .. math:: \min_{Q, c, \mu} \; \Big\| T' + (\eta - n) \sum_t c_t L_t - \mu \Big\|_*
              + \tfrac14 \sum_t \| L_t - c_t \|_*^2, \qquad L_t = \sum_s Q_{ts} L^s

    A Q with orthonormal columns leaves (pq|rs) exactly as it is, so nothing is fitted and nothing
    is lost. With more rows than columns there are more leaves than factors. The problem is not
    convex; `ql.one_norm_floor` says how far below no gauge can get.

    Args:
        hamiltonian: The sum of squares.
        shift: Whether c and μ are free. Without them the operator is the molecule's for every
            number of electrons, and its one-norm is higher.
        extra_leaves: Leaves beyond the number of factors; by default a quarter of it.
        method: `GaugeDescent(max_steps=…, seed=…)`.
        progress: Called after every step.

    Returns:
        The factorization, whose `one_norm()` is never above that in the `LocalGauge` with its
        median shifts (or without any), where the run begins; and how it went.

    Raises:
        InputError: Something else than a Hamiltonian, or a negative number of leaves.

    >>> from qlowrank.factorization import shift_symmetry
    >>> from qlowrank.hamiltonian.read import from_example
    >>> hamiltonian = from_example("lih")
    >>> result = optimize_gauge(hamiltonian)
    >>> plain, best = shift_symmetry(hamiltonian), result.factorization
    >>> print(f"{plain.one_norm():.1f} {best.one_norm():.1f}")
    4.8 4.3
    """
    _check(hamiltonian, "A gauge is optimised from")
    extra = _count("extra_leaves", hamiltonian.rank // 4 if extra_leaves is None else extra_leaves)
    landscape = _landscape(hamiltonian, extra, with_shifts=bool(shift), with_offsets=False)
    descent = GaugeDescent() if method is None else method
    start = double_factorize(hamiltonian, gauge=LocalGauge())
    if shift:
        start = shift_symmetry(start, method=MedianShift())
    if hamiltonian.rank == 0:
        return GaugeResult(start, _nothing_to_do(descent, start.one_norm()))
    point, status = descent(landscape, 0, progress)
    leaves = unpacked(landscape.leaves(point)[0], hamiltonian.norb)
    mixed = double_factorize(hamiltonian, gauge=given_gauge("gauge", leaves))
    if shift:
        mixed = shift_symmetry(mixed, method=OneNormShift())
    return GaugeResult(min((mixed, start), key=DoubleFactorization.one_norm), status)


def encode_squares(
    hamiltonian: Hamiltonian,
    *,
    n_projected: int = 0,
    extra_leaves: int | None = None,
    method: GaugeDescent | None = None,
    progress: Progress | None = None,
) -> SquareEncoding:
    r"""Optimise the gauge and its shifts together with offsets, and a projection of the index.

    `SquareEncoding` says what these are. Offsets alone are a double factorization in one more
    orbital, which is empty (`SquareEncoding.with_empty_orbital`). A projection asks for another
    circuit, and the formulas for gates do not cover it. Either way the integrals are exactly those
    of the Hamiltonian.

    Args:
        hamiltonian: The sum of squares.
        n_projected: How many directions of the index the encoding may leave out; each costs two
            more preparations of a state of the index register. Zero (default) optimises offsets.
        extra_leaves: Leaves beyond the number of factors; by default a quarter of it.
        method: `GaugeDescent(max_steps=…, seed=…)`.
        progress: Called after every step.

    Returns:
        The form of the lowest one-norm that was seen.

    Raises:
        InputError: Something else than a Hamiltonian, one without factors, or a negative number.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> hamiltonian = from_example("lih")
    >>> encoding = encode_squares(hamiltonian)
    >>> best = optimize_gauge(hamiltonian).factorization
    >>> encoding.n_projected, encoding.one_norm() < best.one_norm()
    (0, True)
    """
    _check(hamiltonian, "Squares are encoded from")
    count = _count("n_projected", n_projected)
    extra = _count("extra_leaves", hamiltonian.rank // 4 if extra_leaves is None else extra_leaves)
    if hamiltonian.rank == 0:
        raise InputError("There are no squares to encode: the Hamiltonian has no factors.")
    landscape = _landscape(hamiltonian, extra, with_shifts=True, with_offsets=True)
    descent = GaugeDescent() if method is None else method
    point, status = descent(landscape, count, progress)
    return place_squares(hamiltonian, landscape, point, status)


def _check(hamiltonian: Hamiltonian, what: str) -> None:
    """Refuse what is no Hamiltonian."""
    if not isinstance(hamiltonian, Hamiltonian):
        raise InputError(f"{what} a Hamiltonian; got {hamiltonian!r:.60}.")


def _count(name: str, value: int) -> int:
    """Return a number that is not negative."""
    count = checks.whole(name, value)
    if count < 0:
        raise InputError(f"{name} must be at least 0; got {count}.")
    return count


def _landscape(
    hamiltonian: Hamiltonian, extra: int, *, with_shifts: bool, with_offsets: bool
) -> GaugeLandscape:
    """Return the one-norm of a Hamiltonian as a function of the gauge, beside a local one."""
    factors = LocalGauge()(hamiltonian.factors)
    traces = np.einsum("tpp->t", factors)
    rows = packed(factors)
    return GaugeLandscape(
        factors=np.concatenate([rows, np.zeros((extra, rows.shape[1]))]),
        one_body=np.asarray(hamiltonian.kappa + contract("t,tpq->pq", traces, factors)),
        excess=sum(hamiltonian.nelec) - hamiltonian.norb,
        with_shifts=with_shifts,
        with_offsets=with_offsets,
    )


def place_squares(
    hamiltonian: Hamiltonian, landscape: GaugeLandscape, point: GaugePoint, status: GaugeStatus
) -> SquareEncoding:
    """Shift the Hamiltonian, diagonalise the leaves and put them in order of size."""
    electrons, norb = sum(hamiltonian.nelec), hamiltonian.norb
    leaves, projected = landscape.leaves(point)
    kept = unpacked(projected, norb)
    directions = point.mixing[:, len(landscape.factors) :].T
    effective = point.shifts - directions.T @ (directions @ point.shifts)
    values, frames = np.linalg.eigh(landscape.shifted_leaves(leaves, point.shifts))
    inner = np.argsort(-np.abs(values), axis=1, kind="stable")
    values = np.take_along_axis(values, inner, axis=1)
    frames = with_positive_peak(np.take_along_axis(frames, inner[:, None, :], axis=2))
    outer = np.argsort(-np.abs(values).max(axis=1), kind="stable")
    rounding = FactorizationStatus(
        method=f"completed squares, {point.rows.shape[0]} projected",
        max_abs_error=hamiltonian.max_abs_error_bound,
        frobenius_error=hamiltonian.residual_trace,
        trace_norm_error=hamiltonian.residual_trace,
    )
    moved = hamiltonian.kappa + electrons * contract("t,tpq->pq", effective, kept)
    encoding = SquareEncoding(
        constants=hamiltonian.constants,
        one_body=moved,
        eigenvalues=values[outer],
        leaves=frames[outer],
        offsets=point.offsets[outer],
        projected=directions[:, outer],
        nelec=hamiltonian.nelec,
        shift=SymmetryShift(electrons, point.shifts[outer], 0.0),
        status=rounding,
        optimizer=status,
        source=hamiltonian.source,
    )
    potential = float(np.median(np.linalg.eigvalsh(encoding.majorana_one_body())))
    constant = electrons * potential - electrons**2 * float(effective @ effective) / 2
    constants = hamiltonian.constants
    return replace(
        encoding,
        one_body=moved - potential * np.eye(norb),
        constants=replace(constants, other=constants.other + constant),
        shift=replace(encoding.shift, chemical_potential=potential),
    )


def _nothing_to_do(descent: GaugeDescent, one_norm: float) -> GaugeStatus:
    """Return the status of a Hamiltonian without factors."""
    return GaugeStatus(
        method="L-BFGS over gauges",
        objective="one-norm",
        converged=True,
        message="there are no factors to mix",
        widths=(),
        one_norms=np.array([one_norm]),
        history=np.zeros(0),
        gradient_norm=0.0,
        seed=descent.seed,
    )

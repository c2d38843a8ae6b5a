# SPDX-License-Identifier: Apache-2.0
"""Fit few eigenvectors to the integrals, for a low one-norm at a small error of the energy."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.errors import residual_errors
from qlowrank.factorization.compression.packing import packed
from qlowrank.factorization.double import double_factorize
from qlowrank.factorization.gauges.descent import GaugeStatus
from qlowrank.factorization.gauges.encoding import SquareEncoding
from qlowrank.factorization.gauges.landscape import GaugeLandscape, GaugePoint
from qlowrank.factorization.gauges.low_rank import LowRankLandscape, LowRankPoint
from qlowrank.factorization.gauges.optimize import given_gauge, place_squares
from qlowrank.factorization.lbfgs import descend
from qlowrank.factorization.mean_field import keep_mean_field
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import Progress, Truncation

WIDTHS = (0.01, 0.003)
"""Width of the rounded corners of the offsets and of the one-body part, Hartree^½."""

MEMORY = 15
"""Steps that L-BFGS remembers."""

STALL = 1e-9
"""A stage ends when a step lowers the objective by less than this share of it."""

NOISE = 1e-10
"""Eigenvalues of a leaf below this share of the largest are rounding of vectors that are there."""

SMALL_OFFSET = 1e-3
"""Offsets below this (Hartree^½) are set to zero: each costs a look-up. It changes no energy."""


WEIGHT = 2000.0
CUT = 2.5e-2
MAX_STEPS = 160
"""Defaults of a fit: weight of the error, 1/Hartree; smallest product of eigenvalues that is kept,
Hartree; steps in each of two stages."""


class FitReference(Protocol):
    """A closed-shell determinant, and perhaps how its correlation energy answers.

    Where there is an array `response`, Γ = ∂E/∂(pq|rs) at a fixed Fock matrix, shape (norb,)*4, it
    is used; without it, second-order perturbation theory is.
    """

    def spin_densities(self) -> Array:
        """Return the density matrices of alpha and beta, shape (2, norb, norb)."""
        ...


@dataclass(frozen=True, eq=False)
class SquareFit:
    """Squares that stand for the integrals nearly, with a low one-norm and few eigenvectors."""

    encoding: SquareEncoding
    """The squares shifted, with offsets; `with_empty_orbital()` is the double factorization."""
    factorization: DoubleFactorization
    """The same squares without shifts or offsets: `ql.coupled_cluster_error` takes it."""
    density: Array = field(metadata={"units": "1", "axes": "orbital,orbital"})
    """D of the determinant whose mean field is exact, both spins, shape (norb, norb)."""
    frobenius_error: float = field(metadata={"units": "hartree"})
    """Frobenius norm of the error over all (pq|rs), against the factors, Hartree."""
    pair_energy_change: float = field(metadata={"units": "hartree"})
    """Change of the correlation energy that the reference predicts, Hartree."""

    def __post_init__(self) -> None:
        norb = self.encoding.norb
        object.__setattr__(self, "density", checks.symmetric("density", self.density, norb))

    @property
    def optimizer(self) -> GaugeStatus:
        """How the fit went."""
        return self.encoding.optimizer

    def __repr__(self) -> str:
        """Say what it is and how far off."""
        return (
            f"SquareFit({self.encoding.n_leaves} leaves, "
            f"{np.count_nonzero(self.encoding.eigenvalues)} eigenvectors, one-norm "
            f"{self.encoding.one_norm():.4f} Hartree, off by {self.frobenius_error:.1e} Hartree "
            "in Frobenius norm)"
        )


def fit_squares(  # noqa: PLR0913 (start, integrals and reference, and three numbers)
    encoding: SquareEncoding,
    hamiltonian: Hamiltonian,
    reference: FitReference,
    *,
    weight: float = WEIGHT,
    cut: float = CUT,
    pair_energy: float = 0.0,
    max_steps: int = MAX_STEPS,
    progress: Progress | None = None,
) -> SquareFit:
    r"""Trade a small error of the integrals for a lower one-norm and far fewer eigenvectors.

    The leaves of an optimised gauge lose their small eigenvalues, and what is left is fitted anew,

    .. math:: \min \; \lambda + \tfrac{w}{2} \Big\| V - \sum_t L_t \otimes L_t \Big\|_F^2
              + \tfrac{w_E}{2} (\delta E_2 - \Delta)^2 , \qquad
              L_t = c_t + \sum_k s_{tk} a_{tk} a_{tk}^T ,

    with shifts, offsets and the one-body part in λ (`LowRankLandscape` has every term). The energy
    and the Fock matrix of the determinant stay exact (`ql.keep_mean_field`); the change
    :math:`\delta E_2` of the correlation energy is linear in the error and held near Δ. What
    remains has no proven bound: measure it with `ql.coupled_cluster_error`.

    Args:
        encoding: Where to begin, from `ql.encode_squares` without projection.
        hamiltonian: The integrals, of the same molecule.
        reference: A closed-shell determinant and, where it is known, how the correlation energy
            answers: `ql.coupled_cluster_reference(hamiltonian)`, or
            `ql.hartree_fock_state(hamiltonian)`, for which second-order perturbation theory does.
        weight: w, 1/Hartree; the error falls and the one-norm rises with it.
        cut: Eigenvalues of a leaf whose product with the sum of all magnitudes of the leaf is below
            this are left out at the start, Hartree.
        pair_energy: Δ, Hartree, what :math:`\delta E` is held at. A first fit whose CCSD(T)
            energy is off by e may be followed by one with −e: that cancels one number, and
            leaves the operator as far from the true one as before.
        max_steps: Most steps in each of two stages.
        progress: Called after every step.

    Returns:
        The fit, whose leaves have at most the eigenvectors that were kept.

    Raises:
        InputError: A projected encoding, one of other orbitals, a reference that is no closed
            shell, a weight that is not above zero, or a cut that leaves nothing.

    >>> import qlowrank as ql
    >>> exact = ql.from_example("water")
    >>> start = ql.encode_squares(exact)
    >>> fit = fit_squares(start, exact, ql.hartree_fock_state(exact), cut=1e-3)
    >>> fit.encoding.one_norm() < start.one_norm()
    True
    >>> abs(ql.coupled_cluster_error(fit.factorization, exact).error) < 1e-3
    True
    """
    densities = _check(encoding, hamiltonian, reference)
    checks.positive("weight", weight)
    checks.positive("cut", cut)
    if checks.whole("max_steps", max_steps) < 1:
        raise InputError(f"max_steps must be at least 1; got {max_steps}.")
    signs, leaf_of, point = _start(encoding, cut)
    landscape = LowRankLandscape(
        hamiltonian.factors,
        hamiltonian.kappa,
        densities.sum(axis=0),
        electrons=sum(hamiltonian.nelec),
        signs=signs,
        leaf_of=leaf_of,
        weight=weight,
        pair_energy=checks.finite("pair_energy", pair_energy),
        response=getattr(reference, "response", None),
    )
    energies = np.linalg.eigvalsh(landscape.one_body(landscape.leaves(point), point))
    point = replace(point, potential=float(np.median(energies)))
    point, status = _descend(landscape, point, max_steps, progress)
    leaves = landscape.leaves(point)
    change, _ = landscape.energy(leaves)
    loss = landscape.frobenius_error(leaves)
    plain = double_factorize(hamiltonian, gauge=given_gauge("fit", leaves))
    rows = packed(leaves)
    element, frobenius, trace_norm = residual_errors(
        landscape.factors,
        [(rows.T, np.eye(len(rows)))],
        n_terms=len(rows),
        size=float(np.sum(rows**2)),
        squared=lambda: loss**2,
    )
    plain = replace(
        plain,
        status=replace(
            plain.status,
            max_abs_error=hamiltonian.max_abs_error_bound + element,
            frobenius_error=hamiltonian.residual_trace + frobenius,
            trace_norm_error=hamiltonian.residual_trace + trace_norm,
        ),
    )
    plain = keep_mean_field(plain, hamiltonian, densities)
    encoded = _encoded(plain, leaves, point, status, hamiltonian)
    return SquareFit(encoded, plain, densities.sum(axis=0), loss, change)


def _check(encoding: SquareEncoding, hamiltonian: Hamiltonian, reference: FitReference) -> Array:
    """Refuse what cannot be fitted; return the densities of the determinant."""
    if not isinstance(encoding, SquareEncoding) or encoding.n_projected:
        raise InputError(
            "A fit begins with a SquareEncoding without projection: ql.encode_squares(hamiltonian)."
        )
    if not isinstance(hamiltonian, Hamiltonian) or hamiltonian.norb != encoding.norb:
        raise InputError(
            f"hamiltonian must be that of the encoding's {encoding.norb} orbitals; got "
            f"{hamiltonian!r:.60}."
        )
    if not hasattr(reference, "spin_densities"):
        raise InputError(
            "reference must have spin_densities(), as ql.coupled_cluster_reference(hamiltonian) "
            f"and ql.hartree_fock_state(hamiltonian) have; got {reference!r:.60}."
        )
    shape = (2, encoding.norb, encoding.norb)
    return checks.readonly("spin_densities", np.asarray(reference.spin_densities()), shape)


def _start(encoding: SquareEncoding, cut: float) -> tuple[Array, np.ndarray, LowRankPoint]:
    """Cut small eigenvalues; leaves that lose all are dropped."""
    magnitudes = np.abs(encoding.eigenvalues)
    kept = magnitudes * magnitudes.sum(axis=1, keepdims=True) > cut
    full = kept.any(axis=1)
    if not full.any():
        raise InputError(f"cut = {cut:g} Hartree leaves no eigenvalue; take a smaller one.")
    leaf_of, column = np.nonzero(kept[full])
    values = encoding.eigenvalues[full][leaf_of, column]
    vectors = encoding.leaves[full][leaf_of, :, column]
    point = LowRankPoint(
        vectors=vectors * np.sqrt(np.abs(values))[:, None],
        shifts=encoding.shift.leaf_shifts[full],
        offsets=encoding.offsets[full],
        potential=0.0,
    )
    return np.sign(values), leaf_of, point


def _descend(
    landscape: LowRankLandscape, point: LowRankPoint, max_steps: int, progress: Progress | None
) -> tuple[LowRankPoint, GaugeStatus]:
    """Minimise for falling widths; the last point is the best of the last objective."""
    shape, count = point.vectors.shape, landscape.n_leaves

    def split(x: Array) -> LowRankPoint:
        vectors, shifts, offsets, potential = np.split(
            x, np.cumsum([shape[0] * shape[1], count, count])
        )
        return LowRankPoint(vectors.reshape(shape), shifts, offsets, float(potential[0]))

    def joined(place: LowRankPoint) -> Array:
        return np.concatenate(
            [place.vectors.ravel(), place.shifts, place.offsets, [place.potential]]
        )

    history: list[float] = []

    def note(value: float) -> None:
        history.append(value)
        if progress is not None:
            done = min(len(history), len(WIDTHS) * max_steps)
            progress("fitting leaves of low rank", done, len(WIDTHS) * max_steps)

    norms, x = [landscape.one_norm(point)], joined(point)
    for width in WIDTHS:

        def function(y: Array, width: float = width) -> tuple[float, Array]:
            value, slope = landscape.smoothed(split(y), width)
            return value, joined(slope)

        found = descend(
            function,
            x,
            max_steps=max_steps,
            memory=MEMORY,
            evaluations=3,
            tolerance=STALL,
            note=note,
        )
        x = found.place
        norms.append(landscape.one_norm(split(x)))
    return split(x), GaugeStatus(
        method="L-BFGS over vectors of leaves",
        objective="one-norm with errors of integrals and energy",
        converged=found.settled,
        message=(
            f"a step of the last stage gained less than {STALL:.0e} of the objective"
            if found.settled
            else f"the last stage reached its limit of {max_steps} steps or stalled"
        ),
        widths=WIDTHS,
        one_norms=np.array(norms),
        history=np.array(history),
        gradient_norm=found.gradient_norm,
        seed=0,
    )


def _encoded(
    plain: DoubleFactorization,
    leaves: Array,
    point: LowRankPoint,
    status: GaugeStatus,
    hamiltonian: Hamiltonian,
) -> SquareEncoding:
    """Shift and complete the fitted squares; zero what is rounding or costs more than it saves."""
    bound = plain.status.max_abs_error
    fitted = Hamiltonian(
        constants=plain.constants,
        one_body=plain.one_body + np.einsum("tpr,trq->pq", leaves, leaves, optimize=True) / 2,
        kappa=plain.one_body,
        factors=leaves,
        nelec=plain.nelec,
        truncation=Truncation(
            rank=len(leaves),
            tolerance=bound,
            max_error=bound,
            discarded=plain.status.trace_norm_error,
        ),
        source=hamiltonian.source,
    )
    traces = np.einsum("tpp->t", leaves)
    offsets = np.where(np.abs(point.offsets) < SMALL_OFFSET, 0.0, point.offsets)
    landscape = GaugeLandscape(
        factors=packed(leaves),
        one_body=np.asarray(plain.one_body + np.tensordot(traces, leaves, axes=1)),
        excess=sum(plain.nelec) - plain.norb,
        with_shifts=True,
        with_offsets=True,
    )
    place = GaugePoint(
        mixing=np.eye(len(leaves)),
        shifts=point.shifts,
        offsets=offsets,
        rows=np.zeros((0, landscape.factors.shape[1])),
        potential=0.0,
    )
    encoding = place_squares(fitted, landscape, place, status)
    largest = np.abs(encoding.eigenvalues).max(axis=1, keepdims=True)
    alive = np.abs(encoding.eigenvalues) > NOISE * largest
    return replace(
        encoding,
        eigenvalues=np.where(alive, encoding.eigenvalues, 0.0),
        status=replace(plain.status, method="completed squares, fitted"),
    )

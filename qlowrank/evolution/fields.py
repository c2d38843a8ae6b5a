# SPDX-License-Identifier: Apache-2.0
"""Trotter circuits checked where no state vector fits: amplitudes by sampling auxiliary fields."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qlowrank import checks
from qlowrank.circuits.product_formula import product_formula
from qlowrank.evolution.trotter import trotter_layers
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.lowrank import symmetric_function

Orbitals = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class SampledAmplitude:
    """An amplitude as a mean over samples."""

    value: complex
    """Mean."""
    standard_error: float = field(metadata={"units": "1"})
    """Of the mean: root of the sum of squares of those of real and imaginary part."""
    samples: int = field(metadata={"units": "1"})
    """Number of samples."""


def sampled_amplitude(
    factorization: DoubleFactorization,
    *,
    time: float,
    steps: int = 1,
    order: int = 2,
    samples: int = 1000,
    seed: int,
) -> SampledAmplitude:
    r"""Estimate :math:`\langle\Phi| C |\Phi\rangle` of a Trotter circuit C and a determinant Φ.

    .. math:: e^{-i\tau \hat L^2 / 2} = \int \frac{dx}{\sqrt{2\pi}}\, e^{-x^2/2}
              e^{\sqrt{-i\tau}\, x \hat L}

    With a random number for the integral, each leaf is a one-body operator, which turns a
    determinant into another one. Its matrix is an exponential of rank as low as the leaf's, and is
    applied in that space: r norb numbers for each electron. Φ fills the first orbitals. The circuit
    is the one that `trotter_circuit` makes with the same time, steps and order. The spread of the
    samples grows exponentially with time: this checks short times of large molecules.

    Args:
        factorization: Leaves with cores of rank one.
        time: t, 1/Hartree.
        steps: Equal steps.
        order: 1 or an even number.
        samples: How many.
        seed: Of the random numbers.

    Raises:
        InputError: As for `trotter_circuit`, or fewer than two samples.

    Source:
        J. Hubbard, Phys. Rev. Lett. 3, 77 (1959); S. Zhang, J. Carlson, J. E. Gubernatis, Phys.
        Rev. B 55, 7464 (1997), for walks of determinants.

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> leaves = double_factorize(from_example("h2"))
    >>> amplitude = sampled_amplitude(leaves, time=0.05, samples=100, seed=1)
    >>> amplitude.standard_error < 0.05
    True
    """
    if checks.whole("samples", samples) < 2:
        raise checks.InputError(f"samples must be at least 2; got {samples}.")
    n_layers = len(trotter_layers(factorization))
    schedule = product_formula(n_layers, time=time, steps=steps, order=order)
    generator = np.random.default_rng(seed)
    phase = np.exp(-1j * factorization.constant * time)
    found = phase * np.array([_sample(factorization, schedule, generator) for _ in range(samples)])
    return SampledAmplitude(
        value=complex(found.mean()),
        standard_error=float(np.sqrt(found.var(ddof=1) / samples)),
        samples=samples,
    )


def _sample(
    factorization: DoubleFactorization,
    schedule: list[tuple[int, float]],
    generator: np.random.Generator,
) -> complex:
    """Return ⟨Φ|Φ'⟩ for one choice of the fields."""
    n_alpha, n_beta = factorization.nelec
    energies, frame = np.linalg.eigh(factorization.one_body)
    orbitals: Orbitals = np.eye(factorization.norb, max(n_alpha, n_beta), dtype=complex)
    for layer, duration in schedule:
        if layer == 0:
            vectors, values = frame, -1j * duration * energies
        else:
            kept = factorization.eigenvalues[layer - 1] != 0
            strength = np.sqrt(-1j * duration) * generator.standard_normal()
            vectors = factorization.leaves[layer - 1][:, kept]
            values = strength * factorization.eigenvalues[layer - 1][kept]
        orbitals = symmetric_function(vectors, values, np.exp).apply(orbitals)
    overlaps = (np.linalg.det(orbitals[:n, :n]) for n in (n_alpha, n_beta))
    return complex(np.prod(list(overlaps)))

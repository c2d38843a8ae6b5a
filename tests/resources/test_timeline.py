# SPDX-License-Identifier: Apache-2.0
"""Stages of a step of the hypercontracted walk against OpenFermion's, and what they add up to."""

from math import ceil, pi

import matplotlib as mpl
import numpy as np
import pytest

from qlowrank.checks import InputError
from qlowrank.resources import HypercontractedWalk, hypercontracted_timeline


@pytest.fixture(scope="module")
def stages():
    """OpenFermion's program; it imports pyplot."""
    mpl.use("Agg")
    from openfermion.resource_estimates.thc import qubit_vs_toffoli

    def follow(walk, one_norm, parts):
        toffoli, qubits, _, _ = qubit_vs_toffoli(
            lam=one_norm,
            dE=1e-3,
            eps=0.0,
            n=2 * walk.norb,
            chi=walk.coefficient_bits,
            beta=walk.rotation_bits,
            M=walk.n_points,
            algorithm={1: "full", 2: "half"}[parts],
        )
        return toffoli.astype(int), qubits.astype(int)

    return follow


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize(
    ("sizes", "one_norm"),
    [((54, 350, 10, 16), 307.68), ((76, 450, 10, 20), 1201.5), ((20, 90, 12, 14), 40.0)],
)
def test_same_stages(stages, sizes, one_norm, parts):
    """The first row is Figs. 11 and 12 of J. Lee et al., PRX Quantum 2, 030305 (2021)."""
    walk = HypercontractedWalk(*sizes)
    steps = ceil(pi * one_norm / 2e-3)
    found = hypercontracted_timeline(walk, steps=steps, parts=parts)
    toffoli, qubits = stages(walk, one_norm, parts)
    np.testing.assert_array_equal([stage[1] for stage in found.stages], toffoli)
    np.testing.assert_array_equal([stage[2] for stage in found.stages], qubits)
    assert found.volume == np.sum(toffoli * qubits)


def test_first_stages_as_printed():
    """The first nine numbers of Fig. 12, as the notebook behind it prints them."""
    walk = HypercontractedWalk(norb=54, n_points=350)
    found = hypercontracted_timeline(walk, steps=ceil(pi * 307.68 / 2e-3))
    assert [stage[1] for stage in found.stages[:9]] == [95, 89, 2852, 10, 18, 10, 54, 402, 1512]


def test_bad_input_is_refused():
    walk = HypercontractedWalk(norb=2, n_points=4)
    with pytest.raises(InputError, match="parts must be 1 or 2; got 3"):
        hypercontracted_timeline(walk, steps=1, parts=3)
    with pytest.raises(InputError, match="steps must be at least 1; got 0"):
        hypercontracted_timeline(walk, steps=0)

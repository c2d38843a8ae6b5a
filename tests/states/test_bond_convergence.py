# SPDX-License-Identifier: Apache-2.0
"""Variances as the bond dimension grows, towards full CI."""

import numpy as np
import pytest

from qlowrank.checks import InputError
from qlowrank.factorization import double_factorize
from qlowrank.measurement import plain_groups
from qlowrank.states import fci_state, ground_state_mps, variances_by_bond


def test_variances_converge_to_full_ci(chain):
    hamiltonian, _ = chain(6)
    groups = plain_groups(double_factorize(hamiltonian))[:5]
    calls = []
    found = variances_by_bond(
        ground_state_mps(hamiltonian),
        groups,
        [8, 16, 64],
        progress=lambda *call: calls.append(call),
    )
    full = fci_state(hamiltonian)
    exact = np.array([full.moments(group).variance for group in groups])
    errors = np.abs(found.variances - exact).max(axis=1)
    assert (np.diff(errors) < 0).all()
    # The image's bonds are full as well; what is left is the eigensolver's: sqrt of 1e-13.
    assert errors[-1] < 1e-6 * exact.max()
    assert (np.diff(found.discarded_weights) < 0).all()
    assert (np.diff(found.changes) < 0).all()
    assert found.epsilon2_shots[-1] == pytest.approx(np.sqrt(exact).sum() ** 2, rel=1e-6)
    assert calls[-1] == ("variances", 15, 15)


@pytest.mark.parametrize("bonds", [[], [0, 2], [4, 4], [8, 4]])
def test_refusals(chain, bonds):
    state = ground_state_mps(chain(2)[0])
    with pytest.raises(InputError, match="bond_dimensions must rise from at least 1"):
        variances_by_bond(state, [], bonds)

# SPDX-License-Identifier: Apache-2.0
"""Matrix product states in archives: every tensor comes back."""

import numpy as np

import qlowrank as ql


def test_round_trip(tmp_path):
    hamiltonian = ql.from_example("h2", basis="6-31g")
    state = ql.ground_state_mps(hamiltonian, max_bond=6)
    ql.save(tmp_path / "state.h5", hamiltonian, state)
    back = ql.load(tmp_path / "state.h5")["mps_state"]
    assert isinstance(back, ql.MPSState)
    assert (back.energy, back.fitting) == (state.energy, state.fitting)
    assert back.convergence.status == "converged"
    assert back.mps.window == state.mps.window
    np.testing.assert_array_equal(back.orbitals, state.orbitals)
    for ours, theirs in zip(back.mps.blocks, state.mps.blocks, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert ql.verify(tmp_path / "state.h5").passed

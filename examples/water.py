# SPDX-License-Identifier: Apache-2.0
"""Water, from a geometry to shots that hold."""

import numpy as np

import qlowrank as ql

hamiltonian = ql.from_xyz("data/water.xyz", basis="sto-3g")  # or from_pyscf, from_fcidump, ...
factorization = ql.double_factorize(hamiltonian)
shifted = ql.shift_symmetry(factorization)  # the same energies, a lower one-norm
print(hamiltonian, shifted, ql.resource_estimate(shifted), sep="\n")

state = ql.cisd_state(hamiltonian)  # prices the groups; no FCI space
plan = ql.plan_measurement(factorization, state, precision=1.6e-3)
print(plan, ql.energy_interval(hamiltonian, state), sep="\n")

truth = ql.fci_state(hamiltonian)  # does the promise hold?
rng = np.random.default_rng(seed=1)
runs = ql.simulate_measurement(plan, truth, repetitions=1000, rng=rng)
print(f"standard error: {plan.precision} asked, {runs.empirical_standard_error:.5f} found")

mps = ql.mps_from_ci(truth.vector, truth.norb, truth.nelec)
print(mps, ql.entanglement(mps), sep="\n")

ql.save("water.h5", hamiltonian, factorization, state, plan, overwrite=True)
print(ql.verify("water.h5"))

# SPDX-License-Identifier: Apache-2.0
"""Fits held to 0.2 mHartree in CCSD(T): what it takes, and how far off other states are.

    OMP_NUM_THREADS=1 python examples/benchmarks/energy_fits.py
    OMP_NUM_THREADS=1 python examples/benchmarks/energy_fits.py --molecule hcn

The same call with the same defaults for every molecule. Toffoli are those of the double
factorization with an empty orbital, for 1 mHartree, before and after. "alone" is the error in
CCSD(T) of the fit that was not corrected, mHartree, "held" that of the result. Where full CI fits,
the same operator's errors in full CI, mHartree, which nothing was fitted to: ground state, the
largest of the six lowest states of all spins, and the lowest state with one electron fewer.
"""

import argparse
import time

import numpy as np

import qlowrank as ql

MOLECULES = {
    "water": ("O 0 0 0; H 0 0.7572 0.5865; H 0 -0.7572 0.5865", "6-31g", None),
    "ammonia": (
        "N 0 0 0.1173; H 0 0.9377 -0.2737; H 0.8121 -0.4689 -0.2737; H -0.8121 -0.4689 -0.2737",
        "6-31g",
        None,
    ),
    "hcn": ("H 0 0 -1.0640; C 0 0 0; N 0 0 1.1560", "cc-pvdz", (10, 10)),
    "n2-stretched": ("N 0 0 0; N 0 0 1.8", "cc-pvdz", (10, 10)),
    "lif": ("Li 0 0 0; F 0 0 1.5639", "6-31g", None),
    "ethylene": (
        "C 0 0 0.6695; C 0 0 -0.6695; H 0 0.9289 1.2321; H 0 -0.9289 1.2321; "
        "H 0 0.9289 -1.2321; H 0 -0.9289 -1.2321",
        "6-31g",
        None,
    ),
}
"""Geometry in ångström, basis, and active space."""

MOST_DETERMINANTS = 400_000

STATES = 6
"""Of the neutral molecule, all spins, that are compared."""


def hamiltonian_of(name):
    """Return the Hamiltonian, to 1e-6 Hartree."""
    from pyscf import gto, mcscf, scf

    atoms, basis, active = MOLECULES[name]
    field = scf.RHF(gto.M(atom=atoms, basis=basis, verbose=0)).run(conv_tol=1e-12)
    source = field if active is None else mcscf.CASCI(field, active[1], active[0])
    return ql.from_pyscf(source, tolerance=1e-6)


def full_ci(operator, nelec, n_states):
    """Return the lowest energies of a sector, Hartree."""
    from pyscf import fci

    solver = fci.direct_spin1.FCI()
    solver.set(conv_tol=1e-10, max_cycle=400, max_space=60, nroots=n_states)
    one, two = operator.normal_ordered_one_body(), operator.two_body()
    energies, _ = solver.kernel(one, two, operator.norb, nelec)
    if not np.all(solver.converged):
        raise SystemExit("full CI did not converge")
    return operator.constant + np.atleast_1d(energies)


def elsewhere(exact, fitted):
    """Return errors of full CI energies, mHartree, as text."""
    n_alpha, n_beta = exact.nelec
    gaps = []
    for nelec, n_states in ((exact.nelec, STATES), ((n_alpha, n_beta - 1), 1)):
        own, other = (full_ci(operator, nelec, n_states) for operator in (exact, fitted))
        gaps.append(1e3 * (other - own))
    largest = max(gaps[0], key=abs)
    return f"{gaps[0][0]:+6.3f}  {largest:+6.3f}  {gaps[1][0]:+6.3f}"


def measure(name):
    """Print one row."""
    start = time.process_time()
    exact = hamiltonian_of(name)
    encoding = ql.encode_squares(exact)
    found = ql.fit_squares_to_energy(encoding, exact, ql.coupled_cluster_reference(exact))
    seconds = time.process_time() - start
    before, after = (
        ql.resource_estimate(e.with_empty_orbital()).toffoli for e in (encoding, found.fit.encoding)
    )
    size = np.prod([float(_choose(exact.norb, n)) for n in exact.nelec])
    rest = "too large for full CI"
    if size <= MOST_DETERMINANTS:
        rest = elsewhere(exact, found.fit.factorization.to_hamiltonian())
    norms = f"{encoding.one_norm():7.3f} {found.fit.encoding.one_norm():7.3f}"
    print(
        f"{name:13} {exact.norb:4}  {norms}  {before:8.2e} {after:8.2e}  {len(found.trials):6}  "
        f"{1e3 * found.uncorrected_error:+6.3f}  {1e3 * found.energy_error:+6.3f}  {seconds:5.0f}"
        f"   {rest}",
        flush=True,
    )


def _choose(norb, electrons):
    """Return the number of strings."""
    from math import comb

    return comb(norb, electrons)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", choices=MOLECULES, action="append")
    print(
        "molecule      norb    one-norm before, after  Toffoli          trials   alone    held  "
        "CPU s   full CI: ground, of six, cation"
    )
    for name in parser.parse_args().molecule or MOLECULES:
        measure(name)


if __name__ == "__main__":
    main()

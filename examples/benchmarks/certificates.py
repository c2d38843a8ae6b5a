# SPDX-License-Identifier: Apache-2.0
"""Energy intervals put to the test: random molecules, and the exact energy of each.

    python examples/benchmarks/certificates.py                   200 cases, about a minute
    python examples/benchmarks/certificates.py --molecules 100   800 cases
    python examples/benchmarks/certificates.py --seed 3

Each molecule is drawn with its geometry, basis, charge, spin and active space, and truncated at
eight tolerances from 1e-1 to 1e-8. The exact energy is the lowest eigenvalue of the full CI matrix
of PySCF's integrals; qlowrank has no part in it. A case is lost when an interval misses that
energy; the exit status is 1 if one does. Widths are compared with the true error, which is how far
the truncated Hamiltonian's ground state lies below the exact one; medians are over the cases in
which something was cut at all.
"""

import argparse
import statistics
import sys
from dataclasses import dataclass

import numpy as np
from pyscf import ao2mo, gto, mcscf, scf
from pyscf.fci import direct_spin1

import qlowrank as ql

TOLERANCES = tuple(10.0**-k for k in range(1, 9))
LARGEST = 700
"""Determinants of a full CI matrix that is diagonalised."""
NOTHING = 1e-9
"""Hartree; a residual trace below this is rounding: the rank is full and nothing was cut."""

SHAPES = (
    ("H 0 0 0; H 0 0 0.8", 0, (0, 2)),
    ("H 0 0 0; H 0 0 1.0; H 0 0.9 1.5", 0, (1, 3)),
    ("H 0 0 0; H 0 0 1; H 0 1 0; H 0 1 1", 0, (0, 2)),
    ("Li 0 0 0; H 0 0 1.6", 0, (0, 2)),
    ("Be 0 0 0; H 0 0 1.3", 0, (1,)),
    ("B 0 0 0; H 0 0 1.2", 0, (0, 2)),
    ("C 0 0 0; H 0 0 1.1; H 0 1.0 -0.4", 0, (0, 2)),
    ("N 0 0 0; H 0 0 1.0", 0, (2,)),
    ("O 0 0 0; H 0 0.76 0.59; H 0 -0.76 0.59", 0, (0, 2)),
    ("O 0 0 0; H 0 0 0.97", 0, (1,)),
    ("O 0 0 0; H 0 0.76 0.59; H 0 -0.76 0.59", 1, (1,)),
    ("F 0 0 0; H 0 0 0.92", 0, (0,)),
    ("N 0 0 0; N 0 0 1.1", 0, (0, 2)),
    ("O 0 0 0; O 0 0 1.2", 0, (2,)),
    ("C 0 0 0; N 0 0 1.17", 0, (1,)),
    ("C 0 0 0; O 0 0 1.13", 0, (0,)),
    ("N 0 0 0; H 0 0.94 0.38; H 0.81 -0.47 0.38; H -0.81 -0.47 0.38", 0, (0,)),
    ("He 0 0 0; H 0 0 0.8", 1, (0, 2)),
)
"""Atoms in Ångström, charge, and values of n_alpha − n_beta to choose from."""
BASES = ("sto-3g", "sto-6g", "3-21g", "6-31g", "6-31g*", "cc-pvdz", "aug-cc-pvdz")


@dataclass(frozen=True)
class Molecule:
    """A converged mean field, an active space, and the exact energy in it."""

    name: str
    mean_field: object
    active: tuple[int, int]
    exact: float


@dataclass(frozen=True)
class Case:
    """One interval of one truncation."""

    name: str
    tolerance: float
    ends: str
    missed: bool
    cut: bool
    width: float
    error: float
    estimate: float


def draw(rng):
    """Draw a molecule; None where its SCF does not converge or nothing is left to choose."""
    atoms, charge, spins = SHAPES[rng.integers(len(SHAPES))]
    basis, spin = str(rng.choice(BASES)), int(rng.choice(spins))
    mol = gto.M(atom=atoms, basis=basis, charge=charge, spin=spin, verbose=0)
    stretch = rng.uniform(0.85, 1.6)
    places = stretch * mol.atom_coords() + rng.normal(scale=0.15, size=(mol.natm, 3))
    mol.set_geom_(places, unit="Bohr")
    mean_field = (scf.RHF if spin == 0 else scf.ROHF)(mol)
    mean_field.conv_tol, mean_field.max_cycle = 1e-11, 200
    mean_field.kernel()
    spaces = list(active_spaces(mol))
    if not mean_field.converged or not spaces:
        return None
    weights = np.array([norb**4 for _, norb in spaces], dtype=float)  # where there is much to cut
    active = spaces[rng.choice(len(spaces), p=weights / weights.sum())]
    exact = ground_state(mean_field, active)
    return Molecule(f"{mol.atom_symbol(0)}{mol.natm} {basis}", mean_field, active, exact)


def active_spaces(mol):
    """Yield (electrons, orbitals) that leave a closed core and a small full CI matrix."""
    n_alpha, n_beta = mol.nelec
    for core in range(n_beta + 1):
        for norb in range(max(n_alpha - core, 2), min(mol.nao - core, 26) + 1):
            n_determinants = np.prod([binomial(norb, n - core) for n in (n_alpha, n_beta)])
            if 1 < n_determinants <= LARGEST:
                yield n_alpha + n_beta - 2 * core, norb


def binomial(n, k):
    """Number of ways to fill k of n orbitals."""
    return float(np.prod([(n - i) / (i + 1) for i in range(k)]))


def ground_state(mean_field, active):
    """Lowest eigenvalue of the full CI matrix of an active space, by PySCF and LAPACK alone."""
    electrons, norb = active
    spin = mean_field.mol.spin
    nelec = ((electrons + spin) // 2, (electrons - spin) // 2)
    space = mcscf.CASCI(mean_field, norb, nelec)
    orbitals = mean_field.mo_coeff[:, np.argsort(-mean_field.mo_occ, kind="stable")]
    one_body, constant = space.get_h1eff(orbitals)
    two_body = ao2mo.restore(1, space.get_h2eff(orbitals), norb)
    _, matrix = direct_spin1.pspace(one_body, two_body, norb, nelec, np=10**6)
    return float(np.linalg.eigvalsh(matrix)[0] + constant)


def cases(molecule):
    """Yield the intervals of a molecule: from the record alone, and with the exact integrals."""
    for tolerance in TOLERANCES:
        try:
            hamiltonian = ql.from_pyscf(
                molecule.mean_field, tolerance=tolerance, active=molecule.active
            )
        except ql.InputError as error:  # a tolerance below what double precision resolves
            if "double precision" not in str(error):
                raise
            hamiltonian = ql.from_pyscf(molecule.mean_field, tolerance=0, active=molecule.active)
        alone = ql.energy_interval(hamiltonian, ql.FCI())
        with_exact = ql.energy_interval(hamiltonian, ql.FCI(), exact=molecule.mean_field)
        for ends, interval in (("record alone", alone), ("exact integrals", with_exact)):
            yield Case(
                name=molecule.name,
                tolerance=tolerance,
                ends=ends,
                missed=molecule.exact not in interval,
                cut=hamiltonian.residual_trace > NOTHING,
                width=interval.width,
                error=molecule.exact - alone.lower_ends[0].energy,
                estimate=abs(interval.estimate - molecule.exact),
            )


def molecules(count, seed):
    """Yield `count` random molecules."""
    rng = np.random.default_rng(seed)
    found = 0
    while found < count:
        molecule = draw(rng)
        if molecule is not None:
            found += 1
            yield molecule


def main():
    """Run the cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    done = [case for m in molecules(options.molecules, options.seed) for case in cases(m)]
    print("tolerance  ends             cases  missed   cut  median width  true error  of estimate")
    for tolerance in TOLERANCES:
        for ends in ("record alone", "exact integrals"):
            chosen = [c for c in done if c.tolerance == tolerance and c.ends == ends]
            cut = [c for c in chosen if c.cut]
            width, error, estimate = (
                statistics.median([getattr(c, key) for c in cut] or [float("nan")])
                for key in ("width", "error", "estimate")
            )
            lost = sum(c.missed for c in chosen)
            print(
                f"{tolerance:9.0e}  {ends:<15}  {len(chosen):5d}  {lost:6d}  "
                f"{len(cut):4d}  {width:12.1e}  {error:10.1e}  {estimate:11.1e}"
            )
    missed = [case for case in done if case.missed]
    for case in missed:
        print("missed:", case)
    print(f"{len(done) // 2} truncations, {len(done)} intervals, {len(missed)} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""CCSD(T) error of truncated factorizations of FeMoCo (Reiher), beside what tables print.

    python examples/benchmarks/femoco_ccsd_t.py                    two rows of the tables
    python examples/benchmarks/femoco_ccsd_t.py --all              all of them (quarter of an hour)

54 electrons in 54 orbitals; the integrals come with OpenFermion. Orbitals and mean-field energy
are those of the exact integrals, correlation is that of the truncated ones, as in the expanded
tables of J. Lee et al., PRX Quantum 2, 030305 (2021). Printed values:
tests/resources/published_femoco.csv.
"""

import argparse
import csv
import time
from importlib.resources import files
from pathlib import Path

import h5py
import numpy as np

ELECTRONS = 54
PRINTED = Path(__file__).parents[2] / "tests" / "resources" / "published_femoco.csv"
USUAL = {("df", "0.00125"), ("sf", "100")}
"""The rows that OpenFermion's tests have too."""


def integrals():
    """Return (pq|rs), h and the energy of the core."""
    path = files("openfermion.resource_estimates") / "integrals" / "eri_reiher.h5"
    with h5py.File(str(path)) as file:
        return file["eri"][()], file["h0"][()], float(file["ecore"][()])


def mean_field(coulomb, bare, core):
    """Return a stable RHF solution of the exact integrals."""
    from pyscf import gto, scf

    mol = gto.M(verbose=0)
    mol.nelectron = ELECTRONS
    mol.incore_anyway = True
    field = scf.RHF(mol)
    norb = len(bare)
    field.get_hcore = lambda *_: bare
    field.get_ovlp = lambda *_: np.eye(norb)
    field.energy_nuc = lambda *_: core
    field._eri = coulomb  # noqa: SLF001 (PySCF takes integrals in no other way)
    field.set(conv_tol=1e-9, level_shift=0.5, diis_space=24, max_cycle=800, conv_check=False)
    density = np.diag(np.repeat([2.0, 0.0], [ELECTRONS // 2, norb - ELECTRONS // 2]))
    field.kernel(density)
    for _ in range(3):
        orbitals, _, stable, _ = field.stability(return_status=True)
        if stable:
            break
        field.kernel(field.make_rdm1(orbitals, field.mo_occ))
    return field


def correlation(field, coulomb):
    """Return the CCSD(T) correlation energy of these integrals in the given orbitals."""
    from pyscf import cc

    field._eri = coulomb  # noqa: SLF001 (PySCF takes integrals in no other way)
    solver = cc.CCSD(field)
    solver.set(max_cycle=800, conv_tol=1e-8, conv_tol_normt=1e-4, diis_space=24)
    solver.kernel()
    return solver.e_corr + solver.ccsd_t()


def truncated(factors, method, cut):
    """Return the (pq|rs) that a row of the tables stands for."""
    if method == "sf":
        kept = factors[: int(cut)]
    else:
        values, vectors = np.linalg.eigh(factors)
        sizes = np.abs(values)
        mask = sizes * sizes.sum(axis=1, keepdims=True) > float(cut)
        number = int(np.argmin(mask.any(axis=1)))
        values = np.where(mask, values, 0.0)[:number]
        kept = np.einsum(
            "tpk,tk,tqk->tpq", vectors[:number], values, vectors[:number], optimize=True
        )
    flat = kept.reshape(len(kept), -1)
    return (flat.T @ flat).reshape((factors.shape[1],) * 4)


def rows(everything):
    """Yield method, cut and printed error."""
    with PRINTED.open(encoding="ascii") as file:
        for row in csv.DictReader(file):
            chosen = everything or (row["method"], row["cut"]) in USUAL
            if row["quantity"] == "ccsd_t_error" and chosen:
                yield row["method"], row["cut"], row["expected"]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every row of the tables")
    arguments = parser.parse_args()
    coulomb, bare, core = integrals()
    norb = len(bare)
    values, vectors = np.linalg.eigh(coulomb.reshape(norb**2, norb**2))
    order = [index for index in np.argsort(-values) if values[index] > 0]
    factors = (vectors[:, order] * np.sqrt(values[order])).T.reshape(-1, norb, norb)
    field = mean_field(coulomb, bare, core)
    exact = correlation(field, coulomb)
    print(f"exact: E(SCF) {field.e_tot:.8f}, E(cor) {exact:.8f} Hartree", flush=True)
    print("method  cut        printed   here (mHartree)   CPU s", flush=True)
    for method, cut, printed in rows(arguments.all):
        begin = time.process_time()
        error = 1e3 * (correlation(field, truncated(factors, method, cut)) - exact)
        seconds = time.process_time() - begin
        print(f"{method:6}  {cut:8}  {printed:>8}  {error:16.3f}  {seconds:6.0f}", flush=True)


if __name__ == "__main__":
    main()

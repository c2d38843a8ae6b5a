# SPDX-License-Identifier: Apache-2.0
"""Entropies and mutual information of the same wavefunctions by qlowrank and by block2.

    OMP_NUM_THREADS=1 python examples/benchmarks/entropies.py
    OMP_NUM_THREADS=1 python examples/benchmarks/entropies.py --system oxygen --bond 60

Two states a system. "CI": our full CI vector becomes an MPS here by `ql.mps_from_ci` and there by
block2's own decomposition of the same coefficients, both of the 4000 largest where there are more;
ΔC is the largest error of a coefficient of the whole vector after `to_ci`. "DMRG": block2 finds the
ground state by DMRG, converged or not, and its tensors become an `ql.MPS`. Both compute the
entropies of orbitals and the mutual information of each state. The table has the largest
differences in nats, CPU seconds, and how far DMRG is above full CI (Hartree). block2's mutual
information has a factor ½ in
front, which is taken out. Needs `pip install qlowrank[dmrg]`.
"""

import argparse
import tempfile
import time

import numpy as np

import qlowrank as ql
from qlowrank.mps import strings
from qlowrank.mps.sectors import ORBITAL

SYSTEMS = {
    "nitrogen 1.1": ("N 0 0 0; N 0 0 1.1", "cc-pvdz", 0, (8, 10)),
    "nitrogen 2.2": ("N 0 0 0; N 0 0 2.2", "cc-pvdz", 0, (8, 10)),
    "lithium fluoride": ("Li 0 0 0; F 0 0 1.5639", "6-31g", 0, (8, 8)),
    "hydrogen chain": ("; ".join(f"H 0 0 {k}" for k in range(10)), "sto-6g", 0, (10, 10)),
    "oxygen": ("O 0 0 0; O 0 0 1.2075", "cc-pvdz", 2, (8, 12)),
}
"""Geometry in Ångström, basis, unpaired electrons, (orbitals, electrons)."""


def active_space(name):
    """PySCF's active space in ROHF orbitals."""
    from pyscf import gto, mcscf, scf

    atoms, basis, unpaired, (norb, electrons) = SYSTEMS[name]
    mol = gto.M(atom=atoms, basis=basis, spin=unpaired, verbose=0)
    return mcscf.CASCI(scf.ROHF(mol).run(), norb, electrons)


def driver_for(name, folder):
    """block2 with the sites and electrons of a system."""
    from pyblock2.driver.core import DMRGDriver, SymmetryTypes

    _, _, unpaired, (norb, electrons) = SYSTEMS[name]
    driver = DMRGDriver(
        scratch=folder, symm_type=SymmetryTypes.SZ, n_threads=1, stack_mem=2 * 1024**3
    )
    driver.initialize_system(n_sites=norb, n_elec=electrons, spin=unpaired)
    return driver


def full_ci_states(cas, driver, most):
    """The full CI vector as our MPS and as block2's, cut to `most` determinants; round-trip error.

    block2 writes every determinant into a bond state of its own before it compresses.
    """
    state = ql.fci_state(ql.from_pyscf(cas, tolerance=1e-10))
    whole = ql.mps_from_ci(state.vector, state.norb, state.nelec, tolerance=1e-13)
    error = np.abs(whole.to_ci() - state.vector).max()
    chosen = np.argsort(-np.abs(state.vector.ravel()), kind="stable")[:most]
    vector = np.zeros(state.vector.size)
    vector[chosen] = state.vector.ravel()[chosen]
    vector = (vector / np.linalg.norm(vector)).reshape(state.vector.shape)
    mps = ql.mps_from_ci(vector, state.norb, state.nelec, tolerance=1e-13)
    alphas, betas = (strings.rising(state.norb, n) for n in state.nelec)
    signed = (vector * strings.site_signs(alphas, betas, state.norb)).ravel()
    occupied = [
        [
            int((alphas[k // len(betas)] >> p & 1) + 2 * (betas[k % len(betas)] >> p & 1))
            for p in range(state.norb)
        ]
        for k in chosen
    ]
    ket = driver.get_mps_from_csf_coefficients(
        occupied, list(signed[chosen]), tag="CI", dot=1, full_fci=True, iprint=0
    )
    return mps, driver.compress_mps(ket), error, state.energy


def dmrg_states(cas, driver, bond):
    """block2's DMRG state, as ours and as its own."""
    from pyscf import ao2mo

    one_body, constant = cas.get_h1eff()
    two_body = ao2mo.restore(1, cas.get_h2eff(), cas.ncas)
    operator = driver.get_qc_mpo(one_body, two_body, ecore=constant, iprint=0)
    state = driver.get_random_mps(tag="KET", bond_dim=bond)
    energy = driver.dmrg(
        operator,
        state,
        n_sweeps=20,
        bond_dims=[bond],
        noises=[1e-3] * 4 + [1e-4] * 4 + [0.0],
        thrds=[1e-10],
        iprint=0,
    )
    ket = driver.adjust_mps(state, dot=1)[0]
    return as_mps(driver, ket), ket, energy


def as_mps(driver, state):
    """Tensors of block2 as an MPS; its charges are (n, 2 S_z), ours (n_alpha, n_beta)."""
    copy = state.deep_copy("COPY")
    copy.info.load_mutable()
    copy.load_mutable()
    sites = []
    for tensor in driver.bw.bs.UnfusedMPS(copy).tensors:
        blocks = {}
        for local in tensor.data:
            for labels, block in local:
                array = np.array(block)
                key = tuple(((q.n + q.twos) // 2, (q.n - q.twos) // 2) for q in labels)
                blocks[key] = array.reshape(array.shape[0], 1, array.shape[-1])
        sites.append(blocks)
    return ql.MPS.from_blocks(sites, [ORBITAL] * len(sites))


def by_block2(driver, state):
    """Entropies of orbitals, of pairs and of bonds; rounding below zero in eigenvalues is cut."""
    from pyblock2.driver import core

    eigenvalues = core.OrbitalEntropy.get_two_orb_rdm_eigvals
    core.OrbitalEntropy.get_two_orb_rdm_eigvals = staticmethod(
        lambda *args, **named: np.maximum(eigenvalues(*args, **named), 0.0)
    )
    single = driver.get_orbital_entropies(state, orb_type=1)
    shared = 2 * driver.get_orbital_interaction_matrix(state)
    core.OrbitalEntropy.get_two_orb_rdm_eigvals = staticmethod(eigenvalues)
    return single, shared


def compare(mps, driver, ket):
    """Columns of one state: largest values, largest differences, CPU seconds."""
    start = time.process_time()
    found = ql.entanglement(mps)
    middle = time.process_time()
    single, shared = by_block2(driver, ket)
    end = time.process_time()
    return (
        f"{mps.max_bond_dimension:>6} {single.max():>8.4f} {shared.max():>8.4f} "
        f"{np.abs(found.orbital_entropies - single).max():>9.1e} "
        f"{np.abs(found.mutual_information - shared).max():>9.1e} "
        f"{middle - start:>10.2f} {end - middle:>9.2f}"
    )


def main():
    """Compare system by system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", choices=SYSTEMS, action="append")
    parser.add_argument("--bond", type=int, default=100, help="bond dimension of the DMRG")
    parser.add_argument("--determinants", type=int, default=4000, help="most of a CI state")
    options = parser.parse_args()
    print(
        f"{'system':<17} {'state':<5} {'states':>6} {'max S_i':>8} {'max I_ij':>8} {'ΔS_i':>9} "
        f"{'ΔI_ij':>9} {'qlowrank s':>10} {'block2 s':>9}      ΔC    E − E_CI"
    )
    for name in options.system or SYSTEMS:
        cas = active_space(name)
        with tempfile.TemporaryDirectory() as folder:
            driver = driver_for(name, folder)
            mps, ket, error, exact = full_ci_states(cas, driver, options.determinants)
            columns = compare(mps, driver, ket)
            print(f"{name:<17} {'CI':<5} {columns} {error:>7.1e}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            driver = driver_for(name, folder)
            mps, ket, energy = dmrg_states(cas, driver, options.bond)
            columns = compare(mps, driver, ket)
            print(f"{name:<17} {'DMRG':<5} {columns} {'':>7} {energy - exact:>11.1e}", flush=True)


if __name__ == "__main__":
    main()

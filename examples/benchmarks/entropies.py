# SPDX-License-Identifier: Apache-2.0
"""Entropies and mutual information of the same wavefunctions by qlowrank and by block2.

    OMP_NUM_THREADS=1 python examples/benchmarks/entropies.py
    OMP_NUM_THREADS=1 python examples/benchmarks/entropies.py --system oxygen --bond 60

block2 finds the ground state in the active space by DMRG; its tensors become an `ql.MPS`; both
compute entropies of bonds, orbitals and pairs of orbitals of this one state, converged or not. The
table has the largest differences in nats and the CPU seconds of each. block2's mutual information
has a factor ½ in front, which is taken out. Needs `pip install qlowrank[dmrg]`.
"""

import argparse
import tempfile
import time

import numpy as np

import qlowrank as ql
from qlowrank.mps.sectors import ORBITAL

SYSTEMS = {
    "nitrogen 1.1": ("N 0 0 0; N 0 0 1.1", "cc-pvdz", 0, (8, 10)),
    "nitrogen 2.2": ("N 0 0 0; N 0 0 2.2", "cc-pvdz", 0, (8, 10)),
    "lithium fluoride": ("Li 0 0 0; F 0 0 1.5639", "6-31g", 0, (8, 8)),
    "hydrogen chain": ("; ".join(f"H 0 0 {k}" for k in range(10)), "sto-6g", 0, (10, 10)),
    "oxygen": ("O 0 0 0; O 0 0 1.2075", "cc-pvdz", 2, (8, 12)),
}
"""Geometry in Ångström, basis, unpaired electrons, (orbitals, electrons)."""


def ground_state(name, bond, folder):
    """The driver of block2 and its state."""
    from pyblock2.driver.core import DMRGDriver, SymmetryTypes
    from pyscf import ao2mo, gto, mcscf, scf

    atoms, basis, unpaired, (norb, electrons) = SYSTEMS[name]
    mol = gto.M(atom=atoms, basis=basis, spin=unpaired, verbose=0)
    cas = mcscf.CASCI(scf.ROHF(mol).run(), norb, electrons)
    one_body, constant = cas.get_h1eff()
    two_body = ao2mo.restore(1, cas.get_h2eff(), norb)
    driver = DMRGDriver(
        scratch=folder, symm_type=SymmetryTypes.SZ, n_threads=1, stack_mem=2 * 1024**3
    )
    driver.initialize_system(n_sites=norb, n_elec=electrons, spin=unpaired)
    operator = driver.get_qc_mpo(one_body, two_body, ecore=constant, iprint=0)
    state = driver.get_random_mps(tag="KET", bond_dim=bond)
    driver.dmrg(
        operator,
        state,
        n_sweeps=12,
        bond_dims=[bond],
        noises=[1e-4] * 4 + [0.0],
        thrds=[1e-10],
        iprint=0,
    )
    return driver, driver.adjust_mps(state, dot=1)[0]


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


def main():
    """Compare system by system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", choices=SYSTEMS, action="append")
    parser.add_argument("--bond", type=int, default=100, help="bond dimension of the DMRG")
    options = parser.parse_args()
    print(
        f"{'system':<18} {'states':>6} {'max S_i':>8} {'max I_ij':>8} {'ΔS_i':>9} {'ΔI_ij':>9} "
        f"{'qlowrank s':>10} {'block2 s':>9}"
    )
    for name in options.system or SYSTEMS:
        with tempfile.TemporaryDirectory() as folder:
            driver, state = ground_state(name, options.bond, folder)
            mps = as_mps(driver, state)
            start = time.process_time()
            found = ql.entanglement(mps)
            middle = time.process_time()
            single, shared = by_block2(driver, state)
            end = time.process_time()
        print(
            f"{name:<18} {mps.max_bond_dimension:>6} {single.max():>8.4f} {shared.max():>8.4f} "
            f"{np.abs(found.orbital_entropies - single).max():>9.1e} "
            f"{np.abs(found.mutual_information - shared).max():>9.1e} "
            f"{middle - start:>10.2f} {end - middle:>9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

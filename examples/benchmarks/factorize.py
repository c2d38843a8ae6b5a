# SPDX-License-Identifier: Apache-2.0
"""Double factorization side by side: qlowrank, ffsim, PennyLane, OpenFermion.

    python examples/benchmarks/factorize.py                 every molecule, every peer installed
    python examples/benchmarks/factorize.py --molecule water --repeat 5

Each measurement is a fresh process: from a converged PySCF mean field without cached integrals to
the leaves. Peak memory is the kernel's high-water mark of the timed part. The error is measured
here, the same way for everyone: leaves and cores are contracted back and compared with PySCF's
integrals, element by element. The one-norm is computed here too, from the returned leaves, by the
formula of von Burg et al. (arXiv:2007.14460) with the one-body part of Lee et al.
(arXiv:2011.03494). Peers are given the tolerance that their documentation offers; what it means
differs, so read time beside the error. Needs `pip install qlowrank[bench]`.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

MOLECULES = {
    "water": ("O 0 0 0; H 0 0.8069603 0.5905961; H 0 -0.8069603 0.5905961", "cc-pvdz"),
    "nitrogen": ("N 0 0 0; N 0 0 1.1", "cc-pvtz"),
    "benzene": (
        "; ".join(
            f"{s} {r * np.cos(k * np.pi / 3):.6f} {r * np.sin(k * np.pi / 3):.6f} 0"
            for s, r in (("C", 1.397), ("H", 2.481))
            for k in range(6)
        ),
        "cc-pvdz",
    ),
}
TOLERANCE = 1e-6


def mean_field(name):
    """Converge RHF and forget the integrals."""
    from pyscf import gto, scf

    atoms, basis = MOLECULES[name]
    converged = scf.RHF(gto.M(atom=atoms, basis=basis, verbose=0)).run(conv_tol=1e-10)
    converged._eri = None  # noqa: SLF001 (nothing cached may help)
    return converged


def dense_integrals(converged):
    """The four-index tensor that the peers start from."""
    from pyscf import ao2mo

    norb = converged.mo_coeff.shape[1]
    return ao2mo.restore(1, ao2mo.kernel(converged.mol, converged.mo_coeff), norb)


def with_qlowrank(converged):
    """Pivoted Cholesky, then one diagonalisation a vector."""
    import qlowrank as ql

    factorization = ql.double_factorize(ql.from_pyscf(converged, tolerance=TOLERANCE))
    return factorization.eigenvalues, factorization.leaves


def with_ffsim(converged):
    """Modified Cholesky of the dense tensor."""
    from ffsim.linalg import double_factorized

    cores, leaves = double_factorized(dense_integrals(converged), tol=TOLERANCE)
    return _values_of_rank_one(cores), leaves


def with_pennylane(converged):
    """Pivoted Cholesky of the dense tensor."""
    import pennylane as qml

    tensor = dense_integrals(converged)
    _, cores, leaves = qml.qchem.factorize(tensor, tol_factor=TOLERANCE, cholesky=True)
    values = np.zeros((len(cores), len(tensor)))
    frames = np.zeros((len(cores), len(tensor), len(tensor)))
    for t, (core, leaf) in enumerate(zip(cores, leaves, strict=True)):
        kept = np.shape(leaf)[1]  # leaves come with only the columns that were kept
        values[t, :kept] = _values_of_rank_one(np.asarray(core)[None])[0]
        frames[t, :, :kept] = leaf
    return values, frames


def with_openfermion(converged):
    """Eigenvectors of the dense tensor as a matrix, then eigenvectors of each."""
    from openfermion.resource_estimates.df import factorize_df

    _, factors, _, _ = factorize_df.factorize(dense_integrals(converged), TOLERANCE)
    return np.linalg.eigh(factors.transpose(2, 0, 1))


def _values_of_rank_one(cores):
    """Leaf eigenvalues from cores that are their outer products, up to a common sign."""
    peak = np.argmax(np.abs(np.einsum("tkk->tk", cores)), axis=1)
    rows = cores[np.arange(len(cores)), peak]
    return rows / np.sqrt(np.abs(rows[np.arange(len(cores)), peak]))[:, None]


PEERS = {
    "qlowrank": with_qlowrank,
    "ffsim": with_ffsim,
    "pennylane": with_pennylane,
    "openfermion": with_openfermion,
}


def peak_memory(reset=False):
    """High-water mark of this process in bytes (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def measure(peer, molecule):
    """Time one peer on one molecule in this process."""
    converged = mean_field(molecule)
    try:
        PEERS[peer](mean_field("water"))  # imports and compilation are not timed
    except ImportError as error:
        return {"failure": f"not installed ({error.name})"}
    before = peak_memory(reset=True)
    start = time.perf_counter()
    values, leaves = PEERS[peer](converged)
    seconds = time.perf_counter() - start
    memory = peak_memory() - before
    norb = leaves.shape[-1]
    factors = np.einsum("tpk,tk,tqk->tpq", leaves, values, leaves, optimize=True)
    exact = dense_integrals(converged).reshape(norb**2, -1)
    flat = factors.reshape(len(factors), -1)
    error = max(
        float(np.abs(exact[rows] - flat[:, rows].T @ flat).max())
        for rows in np.array_split(np.arange(norb**2), 16)
    )
    core = converged.mo_coeff.T @ converged.get_hcore() @ converged.mo_coeff
    exchange = np.einsum("tpr,trq->pq", factors, factors, optimize=True)
    coulomb = np.einsum("t,tpq->pq", np.einsum("tpp->t", factors), factors)
    one_body = np.abs(np.linalg.eigvalsh(core - exchange / 2 + coulomb)).sum()
    return {
        "seconds": seconds,
        "megabytes": memory / 1e6,
        "leaves": len(leaves),
        "one_norm": float(one_body + (np.abs(values).sum(axis=1) ** 2).sum() / 4),
        "error": error,
        "norb": norb,
    }


def in_fresh_process(peer, molecule):
    """Measure in a child; a child that dies is a result too."""
    command = [sys.executable, __file__, "--child", peer, "--molecule", molecule]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode != 0:
        reason = (child.stderr.strip().splitlines() or [f"exit status {child.returncode}"])[-1]
        return {"failure": reason}
    return json.loads(child.stdout.splitlines()[-1])


def main():
    """Measure in turn, so that a drifting machine treats all alike, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", choices=MOLECULES, action="append")
    parser.add_argument("--peer", choices=PEERS, action="append")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.child, options.molecule[0])))
        return
    print("molecule   norb  package       leaves  one-norm   max error   seconds  peak MB")
    for molecule in options.molecule or MOLECULES:
        peers = options.peer or list(PEERS)
        runs = {peer: [] for peer in peers}
        for _ in range(options.repeat):
            for peer in peers:
                runs[peer].append(in_fresh_process(peer, molecule))
        for peer, results in runs.items():
            failures = [r["failure"] for r in results if "failure" in r]
            if failures:
                print(f"{molecule:<10} {'':>4}  {peer:<12}  {failures[0]}")
                continue
            middle = {key: statistics.median(r[key] for r in results) for key in results[0]}
            print(
                f"{molecule:<10} {middle['norb']:>4}  {peer:<12} {middle['leaves']:>7} "
                f"{middle['one_norm']:>9.2f}   {middle['error']:>9.1e} {middle['seconds']:>9.2f} "
                f"{middle['megabytes']:>8.0f}"
            )


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Double factorization side by side: qlowrank, ffsim, PennyLane, OpenFermion, ipie.

    python examples/benchmarks/factorize.py                              small molecules, all peers
    python examples/benchmarks/factorize.py --molecule octane --peer qlowrank --peer ipie
    python examples/benchmarks/factorize.py --molecule icosane --peer qlowrank --max-memory 16e9

Each measurement is a fresh process: from a converged PySCF mean field without cached integrals to
the leaves. Memory is written to before the clock starts, since a virtual machine may have to ask
its host for it. Peak memory is the kernel's high-water mark of the timed part, above what the
process held before. The error is measured here, the same way for everyone: leaves and cores are
contracted back and compared with PySCF's integrals in molecular orbitals, all of them up to 120
orbitals, and whole rows (pq| of them for some pairs pq beyond. The one-norm is computed here too,
from the returned leaves, by the formula of von Burg et al. (arXiv:2007.14460) with the one-body
part of Lee et al. (arXiv:2011.03494).

Tolerances mean different things. ffsim's and PennyLane's is the largest error in molecular
orbitals, and is reached; ours bounds it, and what is measured lies below; ipie's is in atomic
orbitals, and 1e-8 there gives errors of 1e-6 to 1e-4 in molecular orbitals. `--tolerance` and
`--atomic-tolerance` set them, to compare at the same error. Needs `pip install qlowrank[bench]`.
Beyond 250 orbitals the mean field comes from density fitting, which only chooses the orbitals:
their energy and all integrals are exact.

The columns "libcint", "eigen" and "GFLOP/s" are ours: the shares of the CPU time that PySCF's
integral drivers and the leaves' eigenvectors take, and what all but integrals achieves in a CPU
second, counting the transformation, the triangular solve, the second choice of pivots and 9 n³ for
each leaf; the first line states DGEMM in the same unit, and whose kernels NumPy runs: where
OPENBLAS_CORETYPE is set they may be far from what the processor can do. The last line is the
exponent of the wall time against the number of orbitals.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

TOLERANCE = 1e-6
"""Hartree, in molecular orbitals, where no other is asked for."""
ATOMIC_TOLERANCE = 1e-8
"""Hartree, in atomic orbitals, of ipie, where no other is asked for."""
ALL_ROWS = 120
"""Up to this many orbitals every integral is compared."""
FITTED_FROM = 250
"""From this many orbitals on, density fitting chooses them."""
TOUCHED = 3e9
"""Bytes that are written to before the clock starts, if half of the free memory is as much."""


def alkane(n):
    """An all-trans alkane: C-C 1.53, C-H 1.09 Å, C-C-C 112°, H-C-H 107°."""
    half, spread = np.radians(56.0), np.radians(53.5)
    step, rise = 1.53 * np.sin(half), 1.53 * np.cos(half) / 2
    carbons = [(k * step, rise * (-1) ** k, 0.0) for k in range(n)]
    atoms = [("C", place) for place in carbons]
    for k, (x, y, _) in enumerate(carbons):
        up = (-1) ** k
        for side in (1, -1):
            height = y + 1.09 * up * np.cos(spread)
            atoms.append(("H", (x, height, 1.09 * side * np.sin(spread))))
    for k, outward in ((0, -1), (n - 1, 1)):
        x, y, _ = carbons[k]
        down = -((-1) ** k)
        atoms.append(
            ("H", (x + 1.09 * outward * np.sin(half), y + 1.09 * down * np.cos(half), 0.0))
        )
    return atoms


def benzene():
    """C-C 1.397 Å, C-H 1.084 Å."""
    angles = np.pi / 3 * np.arange(6)
    return [
        (symbol, (radius * np.cos(angle), radius * np.sin(angle), 0.0))
        for symbol, radius in (("C", 1.397), ("H", 2.481))
        for angle in angles
    ]


MOLECULES = {
    "water": (lambda: "O 0 0 0; H 0 0.8069603 0.5905961; H 0 -0.8069603 0.5905961", "cc-pvdz"),
    "nitrogen": (lambda: "N 0 0 0; N 0 0 1.1", "cc-pvtz"),
    "butane": (lambda: alkane(4), "cc-pvdz"),
    "benzene": (benzene, "cc-pvdz"),
    "octane": (lambda: alkane(8), "cc-pvdz"),
    "dodecane": (lambda: alkane(12), "cc-pvdz"),
    "hexadecane": (lambda: alkane(16), "cc-pvdz"),
    "icosane": (lambda: alkane(20), "cc-pvdz"),
}
SMALL = ("water", "nitrogen", "butane", "benzene")


def mean_field(name, cache):
    """Converge RHF once, keep the orbitals in a folder, and forget the integrals."""
    from pyscf import gto, scf

    geometry, basis = MOLECULES[name]
    mol = gto.M(atom=geometry(), basis=basis, verbose=0)
    kept, exact = Path(cache) / f"{name}.npz", scf.RHF(mol)
    names = ("mo_coeff", "mo_energy", "mo_occ", "e_tot")
    if not kept.exists():
        run = exact.density_fit() if mol.nao > FITTED_FROM else exact
        run.run(conv_tol=1e-10)
        energy = exact.energy_tot(run.make_rdm1()) if run is not exact else run.e_tot
        values = (run.mo_coeff, run.mo_energy, run.mo_occ, energy)
        np.savez(kept, **dict(zip(names, values, strict=True)))
    converged = scf.RHF(mol)
    with np.load(kept) as values:
        for key in names:
            setattr(converged, key, values[key][()])
    converged.converged = True
    return converged


def dense_integrals(converged):
    """The four-index tensor that the peers start from."""
    from pyscf import ao2mo

    norb = converged.mo_coeff.shape[1]
    return ao2mo.restore(1, ao2mo.kernel(converged.mol, converged.mo_coeff), norb)


def with_qlowrank(converged, tolerance=TOLERANCE, max_memory=None, progress=None):
    """Pivoted Cholesky shell by shell, then one diagonalisation a vector."""
    import qlowrank as ql

    hamiltonian = ql.from_pyscf(
        converged, tolerance=tolerance, max_memory=max_memory, progress=progress
    )
    factorization = ql.double_factorize(hamiltonian, max_memory=max_memory)
    return factorization.eigenvalues, factorization.leaves


def with_ffsim(converged, tolerance=TOLERANCE):
    """Modified Cholesky of the dense tensor."""
    from ffsim.linalg import double_factorized

    cores, leaves = double_factorized(dense_integrals(converged), tol=tolerance)
    return _values_of_rank_one(cores), leaves


def with_pennylane(converged, tolerance=TOLERANCE):
    """Pivoted Cholesky of the dense tensor."""
    import pennylane as qml

    tensor = dense_integrals(converged)
    _, cores, leaves = qml.qchem.factorize(tensor, tol_factor=tolerance, cholesky=True)
    values = np.zeros((len(cores), len(tensor)))
    frames = np.zeros((len(cores), len(tensor), len(tensor)))
    for t, (core, leaf) in enumerate(zip(cores, leaves, strict=True)):
        kept = np.shape(leaf)[1]  # leaves come with only the columns that were kept
        values[t, :kept] = _values_of_rank_one(np.asarray(core)[None])[0]
        frames[t, :, :kept] = leaf
    return values, frames


def with_openfermion(converged, tolerance=TOLERANCE):
    """Eigenvectors of the dense tensor as a matrix, then eigenvectors of each."""
    from openfermion.resource_estimates.df import factorize_df

    _, factors, _, _ = factorize_df.factorize(dense_integrals(converged), tolerance)
    return np.linalg.eigh(factors.transpose(2, 0, 1))


def with_ipie(converged, atomic_tolerance=ATOMIC_TOLERANCE):
    """Pivoted Cholesky in atomic orbitals by columns, transformed, then diagonalised."""
    from ipie.utils.from_pyscf import ao2mo_chol, chunked_cholesky

    vectors = chunked_cholesky(converged.mol, max_error=atomic_tolerance, verbose=False, cmax=40)
    ao2mo_chol(vectors, converged.mo_coeff)
    norb = converged.mo_coeff.shape[1]
    values, leaves = np.empty((len(vectors), norb)), vectors.reshape(-1, norb, norb)
    for t, matrix in enumerate(leaves):
        values[t], leaves[t] = np.linalg.eigh(matrix)
    return values, leaves


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
    "ipie": with_ipie,
}


def peak_memory(reset=False):
    """High-water mark of this process in bytes (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def touch_memory():
    """Have memory handed out before the clock starts.

    A virtual machine may get it from its host only when it is first written to, at seconds for a
    gigabyte, which would be charged to whoever comes first or needs most.
    """
    free = re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))
    np.empty(int(min(TOUCHED, 512 * int(free[1])) / 8)).fill(1.0)


def measure(peer, molecule, cache, max_memory, tolerance, atomic_tolerance):
    """Time one peer on one molecule in this process."""
    converged = mean_field(molecule, cache)
    try:
        PEERS[peer](mean_field("water", cache))  # imports and compilation are not timed
    except ImportError as error:
        return {"failure": f"not installed ({error.name})"}
    options, work = {"tolerance": tolerance}, Work()
    if peer == "qlowrank":
        options |= {"max_memory": max_memory, "progress": work.note}
        work.watch()
    if peer == "ipie":
        options = {"atomic_tolerance": atomic_tolerance}
    touch_memory()
    before = peak_memory(reset=True)
    start, spent = time.perf_counter(), time.process_time()
    values, leaves = PEERS[peer](converged, **options)
    seconds, spent = time.perf_counter() - start, time.process_time() - spent
    memory, libcint = peak_memory() - before, work.libcint
    found = {
        "norb": leaves.shape[-1],
        "leaves": len(leaves),
        "seconds": seconds,
        "cpu_seconds": spent,
        "megabytes": memory / 1e6,
        "error": largest_error(converged, values, leaves),
        "one_norm": one_norm(converged, values, leaves),
    }
    if peer == "qlowrank":
        operations = work.operations(converged.mol.nao, *leaves.shape[:2])
        found["libcint"] = libcint / spent
        found["eigen"] = work.eigen / spent
        found["gflops"] = operations / (spent - libcint) / 1e9
    return found


def own_time():
    """CPU seconds of this process but for those of Python's other threads."""
    here = threading.current_thread()
    others = [thread.ident for thread in threading.enumerate() if thread is not here]
    clocks = [time.pthread_getcpuclockid(ident) for ident in others]
    return time.process_time() - sum(map(time.clock_gettime, clocks))


class Work:
    """What went into integrals and eigenvectors, and how many pivots there were."""

    def __init__(self):
        self.libcint, self.eigen, self.pivots, self.chosen = 0.0, 0.0, 0, 0

    def note(self, task, done, _):
        """Take the number of pivots, in atomic and in molecular orbitals, from progress reports."""
        if task == "Columns of integrals":
            self.pivots = done
        if task == "Cholesky vectors":
            self.chosen = done

    def watch(self):
        """Time PySCF's integral drivers and NumPy's eigenvectors.

        Those of columns and leaves run on the thread that calls them; the exchange build has
        threads of its own, beside others that do something else.
        """
        from pyscf.ao2mo import _ao2mo
        from pyscf.gto import moleintor
        from pyscf.scf import _vhf

        for module, name, clock, what in (
            (_ao2mo, "nr_e1fill", time.thread_time, "libcint"),
            (moleintor, "getints4c", time.thread_time, "libcint"),
            (_vhf, "nr_direct_drv", own_time, "libcint"),
            (np.linalg, "eigh", time.thread_time, "eigen"),
        ):
            setattr(module, name, self._timed(getattr(module, name), clock, what))

    def _timed(self, function, clock, what):
        def timed(*args, **kwargs):
            start = clock()
            try:
                return function(*args, **kwargs)
            finally:
                setattr(self, what, getattr(self, what) + clock() - start)

        return timed

    def operations(self, nao, rank, norb):
        """Floating-point operations of the dense linear algebra."""
        functions, pairs = nao * (nao + 1) / 2, norb * (norb + 1) / 2
        eliminated = self.pivots**2 * functions
        transformed = 2 * self.pivots * nao * norb * (nao + norb)
        replaced = self.pivots - (rank - self.chosen)
        chosen = 2 * self.chosen * replaced * pairs
        return eliminated + transformed + chosen + 9 * rank * norb**3


def largest_error(converged, values, leaves):
    """Compare with PySCF's integrals: all, or whole rows of some."""
    norb = leaves.shape[-1]
    if norb <= ALL_ROWS:
        factors = np.einsum("tpk,tk,tqk->tpq", leaves, values, leaves, optimize=True)
        exact = dense_integrals(converged).reshape(norb**2, -1)
        flat = factors.reshape(len(factors), -1)
        return max(
            float(np.abs(exact[rows] - flat[:, rows].T @ flat).max())
            for rows in np.array_split(np.arange(norb**2), 16)
        )
    rng = np.random.default_rng(7)
    count = 24 if norb < FITTED_FROM else 8
    pairs = rng.integers(0, norb, (count, 2))
    pairs[: count // 3, 1] = pairs[: count // 3, 0]
    orbitals = converged.mo_coeff
    densities = [np.outer(orbitals[:, p], orbitals[:, q]) for p, q in pairs]
    fields = converged.get_j(converged.mol, [(d + d.T) / 2 for d in densities], hermi=1)
    missing = np.array([orbitals.T @ field @ orbitals for field in fields])
    for part in batches(len(leaves)):
        factors = rebuilt(leaves[part], values[part])
        weights = factors[:, pairs[:, 0], pairs[:, 1]]
        missing -= np.tensordot(weights.T, factors, axes=1)
    return float(np.abs(missing).max())


def batches(count):
    """Cut a number of leaves into a few at a time."""
    return [slice(start, start + 64) for start in range(0, count, 64)]


def rebuilt(leaves, values):
    """U diag(values) Uᵀ of each leaf."""
    return np.matmul(leaves * values[:, None, :], leaves.transpose(0, 2, 1))


def one_norm(converged, values, leaves):
    """Chebyshev step for the squares, nuclear norm for the one-body part, Hartree."""
    body = converged.mo_coeff.T @ converged.get_hcore() @ converged.mo_coeff
    for part in batches(len(leaves)):
        traces = values[part].sum(axis=1)[:, None]
        body += rebuilt(leaves[part], values[part] * (traces - values[part] / 2)).sum(axis=0)
    squares = (np.abs(values).sum(axis=1) ** 2).sum() / 4
    return float(np.abs(np.linalg.eigvalsh(body)).sum() + squares)


def in_fresh_process(peer, molecule, cache, options):
    """Measure in a child; a child that dies is a result too."""
    command = [sys.executable, __file__, "--child", peer, "--molecule", molecule, "--cache", cache]
    command += ["--tolerance", str(options.tolerance)]
    command += ["--atomic-tolerance", str(options.atomic_tolerance)]
    if options.max_memory is not None:
        command += ["--max-memory", str(options.max_memory)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode != 0:
        reason = (child.stderr.strip().splitlines() or [f"exit status {child.returncode}"])[-1]
        return {"failure": reason}
    return json.loads(child.stdout.splitlines()[-1])


def dgemm():
    """GFLOP in a CPU second of a product of two matrices of 2000 rows, the best of five."""
    matrix, times = np.random.default_rng(0).random((2000, 2000)), []
    for _ in range(5):
        start = time.process_time()
        matrix @ matrix
        times.append(time.process_time() - start)
    return 2 * 2000**3 / min(times) / 1e9


def kernels():
    """What NumPy multiplies with: OpenBLAS chooses kernels by processor, or as it is told to."""
    from threadpoolctl import threadpool_info

    found = [library for library in threadpool_info() if "numpy" in library["filepath"]]
    return ", ".join(
        f"{library['internal_api']} {library['version']} {library.get('architecture', '')}".strip()
        for library in found
    )


def show(molecule, peer, results):
    """Print the medians of one peer on one molecule, and return them."""
    failures = [r["failure"] for r in results if "failure" in r]
    if failures:
        print(f"{molecule:<10} {'':>4}  {peer:<12} {failures[0]}", flush=True)
        return None
    middle = {key: statistics.median(r[key] for r in results) for key in results[0]}
    own = ""
    if "gflops" in middle:
        own = f"{middle['libcint']:>8.0%} {middle['eigen']:>6.0%} {middle['gflops']:>8.1f}"
    print(
        f"{molecule:<10} {middle['norb']:>4}  {peer:<12} {middle['leaves']:>6} "
        f"{middle['one_norm']:>9.2f} {middle['error']:>9.1e} {middle['seconds']:>8.2f} "
        f"{middle['cpu_seconds']:>8.2f} {middle['megabytes']:>8.0f} {own}",
        flush=True,
    )
    return middle


def growth(shown):
    """Print the exponent of wall time against orbitals of every peer that has several."""
    for peer, rows in shown.items():
        sizes, seconds = np.array([(r["norb"], r["seconds"]) for r in rows]).T
        if len(set(sizes)) > 1:
            exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
            print(f"{peer}: seconds grow as N^{exponent:.2f}")


def main():
    """Measure in turn, so that a drifting machine treats all alike, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", choices=MOLECULES, action="append")
    parser.add_argument("--peer", choices=PEERS, action="append")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--max-memory", type=float, help="bytes, of qlowrank")
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help="Hartree, of all but ipie"
    )
    parser.add_argument(
        "--atomic-tolerance", type=float, default=ATOMIC_TOLERANCE, help="Hartree, of ipie"
    )
    parser.add_argument("--cache", help="folder that keeps mean fields; a temporary one by default")
    parser.add_argument("--child", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        limits = options.max_memory, options.tolerance, options.atomic_tolerance
        found = measure(options.child, options.molecule[0], options.cache, *limits)
        print(json.dumps(found))
        return
    shown = {}
    print(f"DGEMM {dgemm():.1f} GFLOP/s ({kernels()})")
    print(
        "molecule   norb  package      leaves  one-norm max error        s    cpu s       MB  "
        "libcint  eigen  GFLOP/s"
    )
    with tempfile.TemporaryDirectory() as temporary:
        cache = options.cache or temporary
        for molecule in options.molecule or SMALL:
            for name in ("water", molecule):
                mean_field(name, cache)
            peers = options.peer or list(PEERS)
            runs = {peer: [] for peer in peers}
            for _ in range(options.repeat):
                for peer in peers:
                    runs[peer].append(in_fresh_process(peer, molecule, cache, options))
            for peer, results in runs.items():
                row = show(molecule, peer, results)
                if row is not None:
                    shown.setdefault(peer, []).append(row)
    growth(shown)


if __name__ == "__main__":
    main()

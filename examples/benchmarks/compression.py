# SPDX-License-Identifier: Apache-2.0
"""Compressed double factorization side by side: qlowrank, ffsim, PennyLane.

    python examples/benchmarks/compression.py               every case, every peer installed
    python examples/benchmarks/compression.py --case water --repeat 5
    python examples/benchmarks/compression.py --interpreter pennylane=/path/to/python

Each measurement is a fresh process with the same leaves, the same number of steps and one thread.
The molecule's integrals are made first and are not timed; each peer then starts from what its
documentation offers: explicit leaves of its own, as many as asked for. Everyone runs once on the
same shapes before, for one step, so that compilation is not timed; `one step` says how long that
took. PennyLane compiles anew in every call and for every leaf, so this part is in its seconds all
the same. Its optimiser is greedy: one leaf after the other, with `steps` of Adam each, so it takes
`leaves` times as many. It works in single precision, as JAX does unless told otherwise.

The loss is computed here, the same way for everyone: half the squared Frobenius norm of the
difference between the integrals and what leaves and cores contract to. Seconds are of the process,
not of the clock on the wall, which on a shared machine measures the neighbours. A peer that lives
in another environment is given its own interpreter. Needs `pip install qlowrank[bench]`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

CASES = {
    "water": ("O 0 0 0; H 0 0.7572 0.5865; H 0 -0.7572 0.5865", "6-31g", 13, 300),
    "h14": ("; ".join(f"H 0 0 {k}" for k in range(14)), "sto-3g", 14, 300),
    "nitrogen": ("N 0 0 0; N 0 0 1.1", "cc-pvdz", 28, 300),
    "h40": ("; ".join(f"H 0 0 {k}" for k in range(40)), "sto-3g", 40, 20),
}
"""Geometry in Ångström, basis, leaves, steps."""


def mean_field(case):
    """Converge RHF."""
    from pyscf import gto, scf

    atoms, basis, _, _ = CASES[case]
    return scf.RHF(gto.M(atom=atoms, basis=basis, verbose=0)).run(conv_tol=1e-11)


def dense_integrals(converged):
    """The four-index tensor that the peers start from, and the loss is measured against."""
    from pyscf import ao2mo

    norb = converged.mo_coeff.shape[1]
    return ao2mo.restore(1, ao2mo.kernel(converged.mol, converged.mo_coeff), norb)


def with_qlowrank(converged, _tensor, n_leaves, steps):
    """From Cholesky vectors; the largest leaves begin."""
    import qlowrank as ql

    explicit = ql.double_factorize(ql.from_pyscf(converged, tolerance=1e-8))

    def run(max_steps):
        optimizer = ql.QuasiNewton(max_steps=max_steps, tolerance=1e-12)
        result = ql.compress(explicit, n_leaves=n_leaves, optimizer=optimizer)
        return result.leaves, result.cores

    return run, steps


def with_ffsim(_converged, tensor, n_leaves, steps):
    """L-BFGS on the dense tensor by automatic differentiation, compiled."""
    from ffsim.linalg import double_factorized
    from ffsim.linalg.double_factorized_decomposition import double_factorized_compressed

    start = double_factorized(tensor, tol=1e-8, max_vecs=n_leaves)

    def run(max_steps):
        cores, leaves, _ = double_factorized_compressed(
            tensor,
            initial_guess=start,
            method="L-BFGS-B",
            options={"maxiter": max_steps, "maxfun": 10**6},
        )
        return leaves, cores

    return run, steps


def with_pennylane(_converged, tensor, n_leaves, steps):
    """Adam, leaf by leaf, started from Cholesky leaves."""
    import pennylane as qml

    def run(max_steps):
        _, cores, leaves = qml.qchem.factorize(
            tensor, compressed=True, cholesky=True, num_factors=n_leaves, num_steps=max_steps
        )
        return np.asarray(leaves), np.asarray(cores)

    return run, steps


PEERS = {"qlowrank": with_qlowrank, "ffsim": with_ffsim, "pennylane": with_pennylane}


def loss(tensor, leaves, cores):
    """Half the squared Frobenius error, by the definition."""
    residual = tensor.reshape(len(tensor) ** 2, -1).copy()
    for leaf, core in zip(leaves, cores, strict=True):
        squares = np.einsum("pk,qk->pqk", leaf, leaf).reshape(len(residual), -1)
        residual -= squares @ core @ squares.T
    return float(np.sum(residual**2)) / 2


def measure(peer, case, tensor_file):
    """Run one peer on one case in this process."""
    converged, tensor = None, None
    if peer == "qlowrank":
        converged = mean_field(case)
    else:
        tensor = np.load(tensor_file)
    _, _, n_leaves, steps = CASES[case]
    try:
        run, steps = PEERS[peer](converged, tensor, n_leaves, steps)
        start = time.process_time()
        run(1)  # compilation and imports are not timed
        first = time.process_time() - start
    except ImportError as error:
        return {"failure": f"not installed ({error.name})"}
    start = time.process_time()
    leaves, cores = run(steps)
    seconds = time.process_time() - start
    tensor = np.load(tensor_file)
    value = loss(tensor, np.asarray(leaves, dtype=float), np.asarray(cores, dtype=float))
    return {"seconds": seconds, "first": first, "loss": value, "norb": len(tensor)}


def in_fresh_process(interpreter, peer, case, tensor_file, limit):
    """Measure in a child of its own interpreter; a child that dies is a result too."""
    command = [interpreter, __file__, "--child", peer, "--case", case, "--tensor", tensor_file]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    flags = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
    try:
        child = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit,
            env={**os.environ, **threads, **flags},
        )
    except subprocess.TimeoutExpired:
        return {"failure": f"stopped after {limit:g} seconds"}
    if child.returncode != 0:
        reason = (child.stderr.strip().splitlines() or [f"exit status {child.returncode}"])[-1]
        return {"failure": reason}
    return json.loads(child.stdout.splitlines()[-1])


def measure_case(case, options):
    """Measure all peers in turn, so that a drifting machine treats all alike."""
    import tempfile

    interpreters = dict(item.split("=", 1) for item in options.interpreter)
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file.name, dense_integrals(mean_field(case)))
        peers = options.peer or list(PEERS)
        runs = {peer: [] for peer in peers}
        for _ in range(options.repeat):
            for peer in peers:
                interpreter = interpreters.get(peer, sys.executable)
                known = runs[peer] and "failure" in runs[peer][0]
                if not known:
                    runs[peer].append(
                        in_fresh_process(interpreter, peer, case, file.name, options.limit)
                    )
    return runs


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--peer", choices=PEERS, action="append")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=float, default=900.0, help="seconds a child may take")
    parser.add_argument("--interpreter", action="append", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--child", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--tensor", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.child, options.case[0], options.tensor)))
        return
    print("case      norb leaves steps  package         loss   CPU seconds  one step")
    for case in options.case or CASES:
        _, _, n_leaves, steps = CASES[case]
        for peer, results in measure_case(case, options).items():
            failures = [r["failure"] for r in results if "failure" in r]
            if failures:
                print(f"{case:<9} {'':>4} {n_leaves:>6} {steps:>5}  {peer:<10}  {failures[0]}")
                continue
            middle = {key: statistics.median(r[key] for r in results) for key in results[0]}
            print(
                f"{case:<9} {middle['norb']:>4} {n_leaves:>6} {steps:>5}  {peer:<10}  "
                f"{middle['loss']:>9.2e} {middle['seconds']:>11.2f} {middle['first']:>9.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

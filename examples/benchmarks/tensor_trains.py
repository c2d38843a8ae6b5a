# SPDX-License-Identifier: Apache-2.0
"""Tensor trains side by side: qlowrank, quimb, and plain NumPy decompositions.

    OMP_NUM_THREADS=1 python examples/benchmarks/tensor_trains.py
    OMP_NUM_THREADS=1 python examples/benchmarks/tensor_trains.py --peers /path/to/python --large

Four jobs on a full CI vector of 11 orbitals (2^22 amplitudes: N2 at 1.1 Å, 10 electrons, cc-pVDZ)
and with `--large` of 12 (2^24: the chain H12 at 1 Å, STO-6G), and on random vectors of full rank in
the same sectors: decompose it, then bring its train into canonical form, take its overlap with
itself, and compress it to half its bond dimension. The train of these three is cut to `--kept`
states first, which changes nothing with 11 orbitals. Then vectors of length 2^22 without symmetry:
random, a smooth function, and a thousand entries at random places. Everyone gets the same numbers
and is asked for the same error (1e-10) or bond dimension. CPU seconds of a process of its own,
medians; what is returned is checked: the error of a decomposition, the norm of the others. Peers
are run by the interpreter that `--peers` names, this one by default; quimb has to be installed
there.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from math import comb
from pathlib import Path

import numpy as np

TOLERANCE = 1e-10
JOBS = ("decompose", "canonicalise", "overlap", "compress")
SECTORS = {"n2": (11, 5), "random 11": (11, 5), "h12": (12, 6), "random 12": (12, 6)}
"""Orbitals, and electrons of each spin."""
WITHOUT = ("random", "smooth", "sparse")
"""Vectors without symmetry."""


def prepare(folder, case, kept):
    """Write the vector and the train, of at most `kept` states, that everyone starts from."""
    import qlowrank as ql

    rng = np.random.default_rng(1)
    if case in WITHOUT:
        np.save(folder / f"{case}.npy", without_symmetry(case, rng))
        return
    norb, n = SECTORS[case]
    ci = molecule(case) if case in MOLECULES else rng.standard_normal([comb(norb, n)] * 2)
    ci = _unit(ci)
    np.save(folder / f"{case}-ci.npy", ci)
    whole = ql.mps_from_ci(ci, norb, (n, n))
    np.save(folder / f"{case}.npy", whole.to_vector())
    cut = ql.compress_mps(whole, max_bond=kept, tolerance=0.0)
    np.savez(folder / f"{case}-train.npz", *cut.tensors)
    labels = {
        f"b{k}": np.repeat([q for q, _ in b], [s for _, s in b], axis=0)
        for k, b in enumerate(cut.bonds)
    }
    np.savez(folder / f"{case}-labels.npz", **labels)


def without_symmetry(case, rng):
    """A vector of length 2^22 and norm one."""
    if case == "random":
        return _unit(rng.standard_normal(2**22))
    if case == "smooth":
        x = np.linspace(0, 1, 2**22)
        return _unit(np.exp(-3 * x) * np.sin(20 * x) + 1 / (1 + x))
    vector = np.zeros(2**22)
    vector[rng.choice(2**22, 1000, replace=False)] = rng.standard_normal(1000)
    return _unit(vector)


MOLECULES = {"n2": ("N 0 0 0; N 0 0 1.1", "cc-pvdz", 10), "h12": (None, "sto-6g", 12)}
"""Geometry in Ångström, basis, active electrons; None is a chain 1 Å apart."""


def molecule(case):
    """PySCF's full CI ground state in the active space, in canonical orbitals."""
    from pyscf import gto, mcscf, scf

    atoms, basis, electrons = MOLECULES[case]
    places = atoms or [("H", (0.0, 0.0, float(k))) for k in range(electrons)]
    mean_field = scf.RHF(gto.M(atom=places, basis=basis, verbose=0)).run()
    return mcscf.CASCI(mean_field, SECTORS[case][0], electrons).run().ci


def _unit(array):
    """Norm one."""
    return array / np.linalg.norm(array)


def with_qlowrank(folder, case):
    """Jobs of qlowrank; the train comes with the charges of its bonds."""
    import qlowrank as ql
    from qlowrank.mps.sectors import ORBITAL

    if case in WITHOUT:
        vector = np.load(folder / f"{case}.npy")
        method = ql.ExactTrain(tolerance=TOLERANCE)
        train = yield lambda: ql.MPS.from_vector(vector, 2, method)
        yield float(np.linalg.norm(train.to_vector() - vector))
        return
    norb, n = SECTORS[case]
    ci = np.load(folder / f"{case}-ci.npy")
    train = yield lambda: ql.mps_from_ci(ci, norb, (n, n), tolerance=TOLERANCE)
    yield float(np.linalg.norm(train.to_ci() - ci))
    labels = np.load(folder / f"{case}-labels.npz")
    cut = ql.MPS.from_tensors(
        _tensors(folder, case),
        site_charges=[ORBITAL] * norb,
        bond_charges=[labels[f"b{k}"].tolist() for k in range(norb + 1)],
    )
    canonical = yield lambda: ql.canonicalise_mps(cut, norb - 1)
    yield canonical.norm()
    overlap = yield lambda: canonical.overlap(cut)
    yield overlap**0.5
    smaller = cut.max_bond_dimension // 2
    small = yield lambda: ql.compress_mps(cut, max_bond=smaller, tolerance=0.0)
    yield small.norm()


def _tensors(folder, case):
    """Dense tensors (left, physical, right)."""
    stored = np.load(folder / f"{case}-train.npz")
    return [stored[f"arr_{k}"] for k in range(len(stored.files))]


def canonicalised(tensors):
    """Left-canonical form by dense QR decompositions."""
    found = list(tensors)
    for k in range(len(found) - 1):
        shape = found[k].shape
        q, r = np.linalg.qr(found[k].reshape(-1, shape[2]))
        found[k] = q.reshape(*shape[:2], -1)
        found[k + 1] = np.tensordot(r, found[k + 1], axes=(1, 0))
    return found


def overlap_of(bras, kets):
    """Scalar product of dense trains."""
    environment = np.ones((1, 1))
    for bra, ket in zip(bras, kets, strict=True):
        half = np.tensordot(environment, ket, axes=(1, 0))
        environment = np.tensordot(bra, half, axes=((0, 1), (0, 1)))
    return float(environment[0, 0])


def compressed(tensors):
    """Canonical form, then dense singular value decompositions backwards."""
    smaller = max(tensor.shape[2] for tensor in tensors) // 2
    found = canonicalised(tensors)
    for k in range(len(found) - 1, 0, -1):
        shape = found[k].shape
        u, s, v = np.linalg.svd(found[k].reshape(shape[0], -1), full_matrices=False)
        found[k] = v[:smaller].reshape(-1, *shape[1:])
        found[k - 1] = np.tensordot(found[k - 1], u[:, :smaller] * s[:smaller], axes=(2, 0))
    return found


def with_numpy(folder, case):
    """One singular value or QR decomposition after the other."""
    vector = np.load(folder / f"{case}.npy")
    dimension = 2 if case in WITHOUT else 4
    n_sites = round(np.log(vector.size) / np.log(dimension))
    share = TOLERANCE / np.sqrt(n_sites - 1)

    def decompose():
        rest, found = vector.reshape(1, -1), []
        for _ in range(n_sites - 1):
            u, s, v = np.linalg.svd(rest.reshape(len(rest) * dimension, -1), full_matrices=False)
            rank = max(1, np.count_nonzero(np.sqrt(np.cumsum(s[::-1] ** 2))[::-1] > share))
            found.append(u[:, :rank].reshape(len(rest), dimension, rank))
            rest = s[:rank, None] * v[:rank]
        return [*found, rest[:, :, None]]

    train = yield decompose
    product = train[0]
    for tensor in train[1:]:
        product = np.tensordot(product, tensor, axes=(-1, 0))
    yield float(np.linalg.norm(product.ravel() - vector))
    if dimension == 2:
        return
    cut = _tensors(folder, case)
    canonical = yield lambda: canonicalised(cut)
    yield float(np.linalg.norm(canonical[-1]))
    value = yield lambda: overlap_of(canonical, cut)
    yield value**0.5
    small = yield lambda: compressed(cut)
    yield float(np.linalg.norm(small[0]))


def with_quimb(folder, case):
    """Its MatrixProductState."""
    import quimb.tensor as qtn

    vector = np.load(folder / f"{case}.npy")
    dimension = 2 if case in WITHOUT else 4
    n_sites = round(np.log(vector.size) / np.log(dimension))
    cutting = {"cutoff": TOLERANCE**2 / (n_sites - 1), "cutoff_mode": "sum2"}
    train = yield lambda: qtn.MatrixProductState.from_dense(
        vector, dims=[dimension] * n_sites, **cutting
    )
    yield float(np.linalg.norm(train.to_dense().ravel() - vector))
    if dimension == 2:
        return
    tensors = _tensors(folder, case)
    inner = [tensor.transpose(0, 2, 1) for tensor in tensors[1:-1]]
    cut = qtn.MatrixProductState([tensors[0][0].T, *inner, tensors[-1][:, :, 0]], shape="lrp")
    canonical = yield cut.left_canonicalize
    yield float(np.linalg.norm(canonical[n_sites - 1].data))
    value = yield lambda: canonical.H @ cut
    yield abs(value) ** 0.5

    def compress():
        small = cut.copy()
        small.compress(max_bond=cut.max_bond() // 2, cutoff=0.0)
        return small

    small = yield compress
    yield abs(small.H @ small) ** 0.5


PEERS = {"qlowrank": with_qlowrank, "numpy": with_numpy, "quimb": with_quimb}


def measure(peer, folder, case, repeat, jobs=JOBS):
    """Run the first jobs of one peer; each is a callable to time, then the check of its result."""
    steps = PEERS[peer](folder, case)
    job, found = next(steps), {}
    for name in jobs:
        seconds = []
        for _ in range(repeat):
            start = time.process_time()
            result = job()
            seconds.append(time.process_time() - start)
        found[name] = {"seconds": statistics.median(seconds), "check": steps.send(result)}
        try:
            job = next(steps)
        except StopIteration:
            break
    return found


def in_fresh_process(python, peer, folder, case, *, repeat, jobs):
    """Measure in a child of the given interpreter; a child that dies is a result too."""
    numbers = ["--repeat", str(repeat), "--jobs", str(jobs)]
    command = [python, __file__, "--child", peer, str(folder), case, *numbers]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode != 0:
        reason = (child.stderr.strip().splitlines() or [f"exit status {child.returncode}"])[-1]
        return {"failure": reason}
    return json.loads(child.stdout.splitlines()[-1])


def main():
    """Prepare, measure everyone, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=sys.executable, help="interpreter that has quimb")
    parser.add_argument("--large", action="store_true", help="12 orbitals as well: minutes")
    parser.add_argument("--case", action="append", choices=(*SECTORS, *WITHOUT))
    parser.add_argument("--kept", type=int, default=1024, help="bond dimension of the trains")
    parser.add_argument("--jobs", type=int, default=len(JOBS), help="1: decompositions alone")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        peer, folder, case = options.child
        jobs = JOBS[: options.jobs]
        print(json.dumps(measure(peer, Path(folder), case, options.repeat, jobs)))
        return
    print(f"{'vector':<10} {'job':<13} {'package':<9} {'CPU s':>8} {'ratio':>7}   check")
    with tempfile.TemporaryDirectory() as name:
        for case in options.case or default_cases(options.large):
            prepare(Path(name), case, options.kept)
            repeat = 1 if SECTORS.get(case, (0, 0))[0] == 12 else options.repeat
            results = {
                peer: in_fresh_process(
                    sys.executable if peer == "qlowrank" else options.peers,
                    peer,
                    name,
                    case,
                    repeat=options.repeat if peer == "qlowrank" else repeat,
                    jobs=options.jobs,
                )
                for peer in PEERS
            }
            report(case, results)


def default_cases(large):
    """All, or those that take a minute or two."""
    return [case for case in (*SECTORS, *WITHOUT) if large or SECTORS.get(case, (0, 0))[0] < 12]


def report(case, results):
    """Print one line a job and package; the ratio is to qlowrank."""
    for job in JOBS:
        for peer, found in results.items():
            if "failure" in found:
                print(f"{case:<10} {job:<13} {peer:<9} {found['failure']}")
            elif job in found:
                seconds = found[job]["seconds"]
                ratio = seconds / results["qlowrank"][job]["seconds"]
                print(
                    f"{case:<10} {job:<13} {peer:<9} {seconds:>8.3f} {ratio:>6.1f}x   "
                    f"{found[job]['check']:.3g}"
                )


if __name__ == "__main__":
    main()

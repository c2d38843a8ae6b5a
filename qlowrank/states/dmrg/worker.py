# SPDX-License-Identifier: Apache-2.0
"""The door to block2: a process that answers requests, and the only file that imports it.

Run as ``python -m qlowrank.states.dmrg.worker``. Requests and answers are JSON, one a line, on
standard input and output; arrays travel in ``.npz`` files. What block2 prints goes to standard
error. Nothing of qlowrank is used here, and nothing of block2 leaves.

Requests:
    start: folder, n_alpha, n_beta, threads, memory. Reads one_body, two_body and
        constant from ``integrals.npz`` in the folder.
    begin: bond, seed, occupations. Takes a random state with electrons near the occupations.
    sweep: bond, noise, threshold. One sweep of two-site DMRG; answers energy and discarded weight.
    energy: answers the expectation value of the Hamiltonian in the present state, whatever operator
        sweeps work with.
    save: path. Writes the present state: `centre`, the site that is no isometry; `values`, all
        blocks one after the other; `blocks`, one row a block: site, local state (0, α, β, αβ),
        electrons and 2 S_z on the left of the site and on its right, rows, columns.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

CUTOFF = 1e-12
"""Weight below which singular values of the compressed operator are left out."""

DENSE = 0.5
"""Share of integrals that are not zero from which each orbital overlaps with each: an operator is
not worth compressing then. With fewer, block2's conventional one may lack parts, too."""

WORTH_USING = 0.5
"""Share of the entries up to which the compressed operator is the faster one."""


class Solver:
    """A DMRG calculation in the symmetry of electron number and S_z."""

    def __init__(self, request: dict[str, Any]) -> None:
        from pyblock2.driver.core import DMRGDriver, SymmetryTypes

        folder = Path(request["folder"])
        self.driver = DMRGDriver(
            scratch=str(folder / "block2"),
            symm_type=SymmetryTypes.SZ,
            n_threads=request["threads"],
            stack_mem=request["memory"],
        )
        with np.load(folder / "integrals.npz") as integrals:
            one_body, two_body = integrals["one_body"], integrals["two_body"]
            constant = float(integrals["constant"])
        electrons = request["n_alpha"] + request["n_beta"]
        self.driver.initialize_system(
            n_sites=len(one_body), n_elec=electrons, spin=request["n_alpha"] - request["n_beta"]
        )
        self.integrals = one_body, two_body, constant
        self.exact = self._operator("Conventional" if len(one_body) > 2 else "NC")
        self.operator = self.exact
        if np.count_nonzero(two_body) <= DENSE * two_body.size:
            self.operator = self._operator("FastBlockedSVD")
            if _entries(self.operator) > WORTH_USING * _entries(self.exact):
                self.exact = self.operator = self._operator("FastBipartite")

    def _operator(self, algorithm: str) -> Any:
        """Return the Hamiltonian as block2's matrix product operator."""
        from pyblock2.driver.core import MPOAlgorithmTypes

        one_body, two_body, constant = self.integrals
        return self.driver.get_qc_mpo(
            one_body,
            two_body,
            ecore=constant,
            algo_type=MPOAlgorithmTypes[algorithm],
            cutoff=CUTOFF,
            iprint=0,
        )

    def begin(self, request: dict[str, Any]) -> dict[str, float]:
        """Begin with a random state."""
        self.driver.bw.b.Random.rand_seed(request["seed"])
        self.state = self._random(request["bond"], request["occupations"])
        if not all(bond.n_states_total for bond in self.state.info.left_dims):
            self.state = self._random(request["bond"], None)
        # Sets everything up and does not begin: so the sweeps can be made one at a time.
        self.driver.dmrg(self.operator, self.state, n_sweeps=-1, bond_dims=[request["bond"]])
        self.algorithm = self.driver._dmrg  # noqa: SLF001 (the driver offers no other way)
        self.algorithm.me.init_environments(False)
        self.forward = self.state.center == 0
        self.done = 0
        return {}

    def _random(self, bond: int, occupations: list[float] | None) -> Any:
        """Return a random state; with few states, occupations may leave none at some bond."""
        return self.driver.get_random_mps(tag="KET", bond_dim=bond, occs=occupations)

    def sweep(self, request: dict[str, Any]) -> dict[str, float]:
        """Make one sweep."""
        wrapper, count = self.driver.bw, self.done + 1
        self.algorithm.bond_dims = wrapper.b.VectorUBond([request["bond"]] * count)
        self.algorithm.noises = wrapper.VectorFP([request["noise"]] * count)
        self.algorithm.davidson_conv_thrds = wrapper.VectorFP([request["threshold"]] * count)
        energy = self.algorithm.solve(count, self.forward, 0.0, self.done)
        self.done, self.forward = count, not self.forward
        return {"energy": energy, "discarded": self.algorithm.discarded_weights[-1]}

    def energy(self) -> dict[str, float]:
        """Return the expectation value of the Hamiltonian."""
        copy = one_site_copy(self.driver, self.state, "ENERGY")
        norm = self.driver.expectation(copy, self.driver.get_identity_mpo(), copy)
        try:
            energy = self.driver.expectation(copy, self.exact, copy)
        except IndexError:  # of a conventional operator, where all integrals of a part are zero
            self.exact = self._operator("FastBipartite")
            energy = self.driver.expectation(copy, self.exact, copy)
        return {"energy": energy / norm}

    def save(self, request: dict[str, Any]) -> dict[str, float]:
        """Write the tensors."""
        part = Path(request["path"] + ".part")
        with part.open("wb") as file:
            np.savez(file, **tensors_of(self.driver, self.state))
        part.replace(request["path"])
        return {}


def tensors_of(driver: Any, state: Any) -> dict[str, Any]:
    """Return `blocks`, `values` and `centre` of a state, as they are saved."""
    copy = one_site_copy(driver, state, "SAVE")
    copy.info.load_mutable()
    copy.load_mutable()
    tensors = driver.bw.bs.UnfusedMPS(copy).tensors
    rows, values = [], []
    for site in range(copy.n_sites):
        for local, blocks in enumerate(tensors[site].data):
            for (left, right), block in blocks:
                array = np.array(block)
                matrix = array.reshape(array.shape[0], array.shape[-1])
                charges = (left.n, left.twos, right.n, right.twos)
                rows.append((site, local, *charges, *matrix.shape))
                values.append(matrix.ravel())
    return {
        "blocks": np.array(rows, dtype=np.int64),
        "values": np.concatenate(values),
        "centre": np.array(copy.center),
    }


def _entries(operator: Any) -> int:
    """Entries of the operator's tensors that are not zero."""
    return int(operator.get_summary()[0])


def one_site_copy(driver: Any, state: Any, tag: str) -> Any:
    """Return a one-site copy, so that reading it leaves the calculation alone."""
    return driver.adjust_mps(state.deep_copy(tag), dot=1)[0]


def answer(solver: Solver | None, request: dict[str, Any]) -> tuple[Solver | None, dict[str, Any]]:
    """Carry out one request."""
    if request["do"] == "start":
        return Solver(request), {}
    if solver is None:
        return solver, {"error": "nothing was started"}
    if request["do"] == "begin":
        return solver, solver.begin(request)
    if request["do"] == "sweep":
        return solver, solver.sweep(request)
    if request["do"] == "energy":
        return solver, solver.energy()
    return solver, solver.save(request)


def main() -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides when to stop
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    solver: Solver | None = None
    for line in sys.stdin:
        try:
            solver, reply = answer(solver, json.loads(line))
        except ImportError as error:
            reply = {"missing": str(error)}
        except Exception as error:  # noqa: BLE001 (told to whoever asked)
            reply = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""A running block2, seen from outside: start it, sweep, take the tensors, clean up."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from qlowrank.checks import Array, InputError, NotConvergedError
from qlowrank.states.dmrg.record import Blocks, Integrals, Settings

MISSING = (
    "block2 is needed for a ground state of this size and could not be imported ({reason}). "
    "Install it with: pip install 'qlowrank[dmrg]'"
)


class Session:
    """A conversation with `qlowrank.states.dmrg.worker`."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._requests = cast("IO[str]", process.stdin)
        self._answers = cast("IO[str]", process.stdout)
        self._folder = folder

    def begin(self, bond: int, seed: int, occupations: Array) -> None:
        """Begin with a random state of that many states at a bond, electrons near `occupations`."""
        self.ask(do="begin", bond=bond, seed=seed, occupations=occupations.tolist())

    def sweep(self, bond: int, noise: float, threshold: float) -> tuple[float, float]:
        """Make one sweep; return its lowest energy (Hartree) and largest discarded weight."""
        reply = self.ask(do="sweep", bond=bond, noise=noise, threshold=threshold)
        return float(reply["energy"]), float(reply["discarded"])

    def state(self) -> tuple[Blocks, float]:
        """Return the tensors of the present state and its ⟨H⟩, Hartree."""
        path = self._folder / "state.npz"
        self.ask(do="save", path=str(path))
        energy = float(self.ask(do="energy")["energy"])
        with np.load(path) as file:
            return Blocks(file["blocks"], file["values"], int(file["centre"])), energy

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        try:
            self._requests.write(json.dumps(request) + "\n")
            self._requests.flush()
            line = self._answers.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise self._failure(f"block2 ended with status {self._process.wait()}")
        reply: dict[str, Any] = json.loads(line)
        if "missing" in reply:
            raise InputError(MISSING.format(reason=reply["missing"]))
        if "error" in reply:
            raise self._failure(f"block2 stopped: {reply['error']}")
        return reply

    def _failure(self, what: str) -> Exception:
        """Say what went wrong, in words that tell a full disk from the rest."""
        printed = (self._folder / "printed.txt").read_text("utf-8", errors="replace")
        tail = " ".join(printed.split()[-30:])
        free = shutil.disk_usage(self._folder).free
        full = any(word in what + printed for word in FULL)
        if full or free < SMALL:
            return OSError(
                f"There is no room left for block2's files in {self._folder.parent} "
                f"({free / 1e6:.1f} MB free). Choose another folder with "
                "Block2DMRG(scratch=...), or a smaller max_bond."
            )
        return NotConvergedError(f"{what}. Its last words: {tail or 'none'}.")


FULL = ("No space left", "File too large", "Disk quota", "save_data on", "ENOSPC")
"""What block2 and the system say when a file could not be written."""

SMALL = 1_000_000
"""Bytes below which a folder counts as full."""


@contextmanager
def session(integrals: Integrals, settings: Settings) -> Iterator[Session]:
    """Run block2 in a process and a folder of its own; both are gone afterwards.

    Raises:
        InputError: block2 is not installed, or the scratch folder cannot be used.
        OSError: The scratch folder is full.
        NotConvergedError: block2 failed for another reason.
    """
    with _scratch(settings.scratch) as folder:
        _write(folder / "integrals.npz", integrals)
        with (folder / "printed.txt").open("w", encoding="utf-8") as printed:
            process = subprocess.Popen(
                [sys.executable, "-m", "qlowrank.states.dmrg.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=printed,
                text=True,
                encoding="utf-8",
            )
        try:
            running = Session(process, folder)
            running.ask(
                do="start",
                folder=str(folder),
                n_alpha=integrals.nelec[0],
                n_beta=integrals.nelec[1],
                threads=settings.threads,
                memory=settings.memory,
            )
            yield running
        finally:
            process.kill()
            process.communicate()


@contextmanager
def _scratch(parent: str) -> Iterator[Path]:
    """Make a folder that is gone afterwards; the empty string is the system's own place."""
    try:
        name = tempfile.mkdtemp(prefix="qlowrank-dmrg-", dir=parent or None)
    except OSError as error:
        raise InputError(
            f"scratch must be a folder that can be written to; {parent or tempfile.gettempdir()} "
            f"cannot ({error.strerror}). Choose another with Block2DMRG(scratch=...)."
        ) from error
    try:
        yield Path(name)
    finally:
        shutil.rmtree(name, ignore_errors=True)


def _write(path: Path, integrals: Integrals) -> None:
    """Write the integrals, or say that there is no room for them."""
    arrays: dict[str, Array] = {
        "one_body": integrals.one_body,
        "two_body": integrals.two_body,
        "constant": np.array(integrals.constant),
    }
    try:
        np.savez(path, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        free = shutil.disk_usage(path.parent).free
        raise OSError(
            error.errno,
            f"There is no room for {integrals.two_body.nbytes / 1e6:.1f} MB of integrals in "
            f"{path.parent.parent} ({free / 1e6:.1f} MB free). Choose another folder with "
            "Block2DMRG(scratch=...).",
        ) from error

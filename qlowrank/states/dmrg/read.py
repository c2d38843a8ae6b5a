# SPDX-License-Identifier: Apache-2.0
"""From block2's tensors to an MPS."""

from typing import Any

import numpy as np

from qlowrank.checks import InputError
from qlowrank.mps import sectors
from qlowrank.mps.record import MPS
from qlowrank.states.dmrg.record import Blocks
from qlowrank.states.dmrg.worker import tensors_of


def mps_from_block2(driver: Any, state: Any) -> MPS:
    """Return a state of a block2 calculation of your own as an MPS, normalised.

    Both count electrons in the order of the sites, alpha before beta, so no sign changes. block2
    is not imported here: everything is asked of the driver.

    Args:
        driver: A `pyblock2.driver.core.DMRGDriver` with `symm_type=SymmetryTypes.SZ`.
        state: One of its states, such as `driver.get_random_mps(...)` after `driver.dmrg`; it is
            copied and stays as it is.

    Raises:
        InputError: A driver of another symmetry.
    """
    if getattr(getattr(driver, "symm_type", None), "name", None) != "SZ":
        raise InputError(
            "driver must be a block2 DMRGDriver with symm_type=SymmetryTypes.SZ; a spin-adapted "
            "state becomes one with driver.mps_change_to_sz."
        )
    found = tensors_of(driver, state)
    return mps_from_blocks(Blocks(found["blocks"], found["values"], int(found["centre"])))


def mps_from_blocks(blocks: Blocks) -> MPS:
    """Return the MPS with these tensors, normalised.

    block2's local states are empty, α, β, αβ with electrons created in the order of the sites,
    alpha before beta: ours. Its charges are (n, 2 S_z); ours are (n_alpha, n_beta). It gives a
    state with its centre at one end.
    """
    n_sites = int(blocks.table[:, 0].max()) + 1
    sites: list[sectors.Blocks] = [{} for _ in range(n_sites)]
    start = 0
    for site, _, n_left, s_left, n_right, s_right, rows, columns in blocks.table.tolist():
        entries = blocks.values[start : start + rows * columns]
        start += rows * columns
        key = _charge(n_left, s_left), _charge(n_right, s_right)
        sites[site][key] = entries.reshape(rows, 1, columns)
    centre = sites[blocks.centre]
    norm = np.sqrt(sum(float(np.vdot(block, block)) for block in centre.values()))
    sites[blocks.centre] = {key: block / norm for key, block in centre.items()}
    return MPS.from_blocks(
        sites, [sectors.ORBITAL] * n_sites, window=(blocks.centre, blocks.centre)
    )


def _charge(electrons: int, twice_spin: int) -> sectors.Charge:
    """(n_alpha, n_beta) from n and 2 S_z."""
    return (electrons + twice_spin) // 2, (electrons - twice_spin) // 2

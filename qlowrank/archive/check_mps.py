# SPDX-License-Identifier: Apache-2.0
"""Are the tensors of a chain what it says of them, and the entropies those of the chain?"""

from collections.abc import Iterator

import numpy as np

from qlowrank.archive.check import Check, equal, within
from qlowrank.archive.evidence import Evidence
from qlowrank.mps.entanglement import Entanglement, entanglement
from qlowrank.mps.record import MPS
from qlowrank.states.mps_state import MPSState

ISOMETRY_TOLERANCE = 1e-8
"""How far isometries may be off, as norms of other states may."""
ENTROPY_TOLERANCE = 1e-8
"""Nats; also of Schmidt values and probabilities."""


def mps_checks(evidence: Evidence) -> Iterator[Check]:
    """Check chains by themselves, then the entropies by themselves and against the chain."""
    chains = _chains(evidence)
    found: Entanglement | None = evidence.records.get("entanglement")
    for name, mps in chains.items():
        gap = max(_isometry_gap(mps, site) for site in range(mps.n_sites))
        yield within(f"{name}: isometries", gap, ISOMETRY_TOLERANCE, "AᵀA misses 1 by")
        cut = float(np.minimum(mps.discarded_weights, 0.0).sum())
        yield within(f"{name}: discarded weights", abs(cut), 0.0, "below zero by")
    if found is not None:
        squares = [float(values @ values) for values in found.schmidt_values]
        sums = np.concatenate([squares, found.site_states.sum(axis=1)])
        gap = float(np.abs(sums - 1).max())
        yield within("entanglement: weights sum to 1", gap, ENTROPY_TOLERANCE, "missed by")
    if chains and found is not None:
        yield from _same_entropies(found, entanglement(next(iter(chains.values()))))


def _chains(evidence: Evidence) -> dict[str, MPS]:
    """Return the chains that are held; entropies belong to the first of them."""
    state: MPSState | None = evidence.records.get("mps_state")
    mps: MPS | None = evidence.records.get("mps")
    found = {} if mps is None else {"mps": mps}
    return found if state is None else {**found, "mps state": state.mps}


def _isometry_gap(mps: MPS, site: int) -> float:
    """Largest deviation from an isometry of a site that should be one."""
    first, last = mps.window
    if first <= site <= last:
        return 0.0
    bond, axes = (site + 1, (0, 1)) if site < first else (site, (1, 2))
    grams = {charge: np.zeros((size, size)) for charge, size in mps.bonds[bond]}
    for (left, right), block in mps.site_blocks(site).items():
        grams[right if site < first else left] += np.tensordot(block, block, axes=(axes, axes))
    return max(float(np.abs(gram - np.eye(len(gram))).max()) for gram in grams.values())


def _same_entropies(stored: Entanglement, found: Entanglement) -> Iterator[Check]:
    """Compare stored entropies with those of the stored chain."""
    shapes = (stored.site_states.shape, stored.nelec) == (found.site_states.shape, found.nelec)
    yield equal("entanglement: sites and electrons", shapes, "sites and electrons are the chain's")
    if not shapes:
        return
    gap = max(
        float(np.abs(getattr(stored, name) - getattr(found, name)).max())
        for name in ("site_states", "orbital_entropies", "pair_entropies")
    )
    for old, new in zip(stored.schmidt_values, found.schmidt_values, strict=True):
        length = max(len(old), len(new))
        ours, theirs = (np.pad(values, (0, length - len(values))) for values in (old, new))
        gap = max(gap, float(np.abs(ours - theirs).max()))
    yield within("entanglement: recomputed", gap, ENTROPY_TOLERANCE, "differs by")

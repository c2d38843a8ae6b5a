# SPDX-License-Identifier: Apache-2.0
"""Suggested active spaces, on entropies made for the purpose and on a molecule."""

import re

import numpy as np
import pytest

import qlowrank as ql


def entropies_of(ranked, states=None):
    """A record with these orbital entropies; orbitals empty but for the first two, with both."""
    n = len(ranked)
    if states is None:
        states = np.zeros((n, 4))
        states[:2, 3] = states[2:, 0] = 1.0
    return ql.Entanglement(
        schmidt_values=(np.ones(1),) * (n - 1),
        site_states=states,
        orbital_entropies=np.array(ranked),
        pair_entropies=np.diag(ranked),
        nelec=(2, 2),
        discarded_weight=1e-10,
    )


@pytest.mark.parametrize(
    ("ranked", "plateau", "orbitals", "share"),
    [
        ([0.01, 1.0, 0.9, 0.02], 0.1, [1, 2], 0.9),  # 0.02 to 0.9 is the first plateau
        ([0.3, 0.2, 0.25, 0.35], 0.1, [0, 1, 2, 3], 0.2 / 0.35),  # from zero on: all of them
        ([0.01, 1.0, 0.5, 0.15], 0.1, [1, 2, 3], 0.15),
        ([0.01, 1.0, 0.5, 0.15], 0.3, [1, 2], 0.5),
        ([1.0, 0.75, 0.5, 0.25], 0.3, [0, 1, 2], 0.3),  # no plateau: at least 0.3 of the largest
    ],
)
def test_the_first_plateau_counts(ranked, plateau, orbitals, share):
    space = ql.suggest_active_space(entropies_of(ranked), plateau=plateau)

    assert space.orbitals.tolist() == orbitals
    assert space.share == pytest.approx(share)


def test_others_keep_their_most_probable_state():
    """Orbital 0 is doubly occupied and left out, orbital 3 holds one alpha electron and is, too."""
    states = np.array([[0, 0, 0, 1.0], [0.5, 0, 0, 0.5], [0.5, 0, 0, 0.5], [0.1, 0.9, 0, 0]])

    space = ql.suggest_active_space(entropies_of([0.01, 1.0, 0.9, 0.02], states))

    assert space.nelec == (0, 1)
    assert space.sentence == (
        "CAS(1, 2) of orbitals 1, 2: their entropies are at least 90% of the largest, 1.000 nats."
    )


def test_nitrogen_keeps_its_triple_bond():
    """Stretched N2 in STO-3G with a frozen core: σ, π, π and their antibonding partners."""
    from pyscf import gto, mcscf, scf

    mol = gto.M(atom="N 0 0 0; N 0 0 1.8", basis="sto-3g", symmetry=True, verbose=0)
    cas = mcscf.CASCI(scf.RHF(mol).run(), 8, 10).run()

    space = ql.suggest_active_space(ql.entanglement(ql.mps_from_ci(cas.ci, 8, (5, 5))))

    assert len(space.orbitals) == 6
    assert space.nelec == (3, 3)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda e: ql.suggest_active_space(e, plateau=1.0), "plateau must be below 1, a part of"),
        (lambda e: ql.suggest_active_space(e, plateau=0.0), "plateau must be above 0; got 0."),
        (
            lambda e: ql.suggest_active_space(entropies_of([0.0, 0.0])),
            "No orbital is entangled: one determinant describes this state.",
        ),
        (
            lambda e: ql.suggest_active_space(ql.entanglement(ql.MPS.from_vector(np.ones(4), 2))),
            "An active space needs the entropies of spatial orbitals.",
        ),
    ],
)
def test_bad_input(act, message):
    with pytest.raises(ql.InputError, match=re.escape(message)):
        act(entropies_of([0.5, 0.4]))

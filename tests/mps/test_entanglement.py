# SPDX-License-Identifier: Apache-2.0
"""Entropies against dense vectors and against block2."""

import re

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.mps import strings
from qlowrank.mps.entanglement import entropy


def dense_pair(vector, first, second, parity):
    """Entropy of two sites of a dense vector, shape (d, d, ...), fermionic signs included."""
    occupations = np.indices(vector.shape)
    between = sum((parity[occupations[k]] for k in range(first + 1, second)), np.zeros_like(vector))
    signed = vector * (-1.0) ** (parity[occupations[second]] * between)
    matrix = np.moveaxis(signed, (first, second), (0, 1)).reshape(len(parity) ** 2, -1)
    return entropy(np.linalg.eigvalsh(matrix @ matrix.T))


@pytest.mark.parametrize(("norb", "nelec"), [(5, (3, 2)), (4, (1, 3)), (5, (2, 0)), (1, (1, 1))])
def test_entropies_of_dense_vectors(norb, nelec, random_ci):
    """Tolerance: entropies are sums of at most 16 terms of order one."""
    mps = ql.mps_from_ci(3.0 * random_ci(norb, nelec), norb, nelec)
    vector = mps.to_vector().reshape((4,) * norb) / mps.norm()

    found = ql.entanglement(mps)

    for bond in range(norb - 1):
        values = np.linalg.svd(vector.reshape(4 ** (bond + 1), -1), compute_uv=False)
        kept = found.schmidt_values[bond]
        np.testing.assert_allclose(kept, values[: len(kept)], atol=1e-14)
        assert found.bond_entropies[bond] == pytest.approx(entropy(values**2), abs=1e-12)
    for i in range(norb):
        matrix = np.moveaxis(vector, i, 0).reshape(4, -1)
        expected = entropy(np.linalg.eigvalsh(matrix @ matrix.T))
        assert found.orbital_entropies[i] == pytest.approx(expected, abs=1e-12)
        np.testing.assert_allclose(found.site_states[i], (matrix**2).sum(axis=1), atol=1e-14)
        for j in range(i + 1, norb):
            expected = dense_pair(vector, i, j, np.array([0, 1, 1, 0]))
            assert found.pair_entropies[i, j] == pytest.approx(expected, abs=1e-12)
            assert found.pair_entropies[j, i] == found.pair_entropies[i, j]


def test_sites_without_electrons(rng):
    """Without symmetry there are coherences within a site, and no fermionic signs."""
    vector = rng.standard_normal(3**5)
    tensor = (vector / np.linalg.norm(vector)).reshape((3,) * 5)

    found = ql.entanglement(ql.MPS.from_vector(vector, 3))

    for i in range(5):
        for j in range(i + 1, 5):
            expected = dense_pair(tensor, i, j, np.zeros(3))
            assert found.pair_entropies[i, j] == pytest.approx(expected, abs=1e-12)
    assert found.nelec == (0, 0)


def test_bell_pairs():
    """Sites 0 and 3 share 2 ln 2, the most that two qubits can; everything else nothing."""
    vector = np.zeros((2,) * 4)
    vector[0, 0, 0, 0] = vector[1, 0, 0, 1] = np.sqrt(0.5)

    found = ql.entanglement(ql.MPS.from_vector(vector.ravel(), 2))

    expected = np.zeros((4, 4))
    expected[0, 3] = expected[3, 0] = 2 * np.log(2)
    np.testing.assert_allclose(found.mutual_information, expected, atol=1e-14)
    np.testing.assert_allclose(found.bond_entropies, np.log(2), atol=1e-14)
    assert found.bond_dimensions == (2, 2, 2)
    assert found.sentence.startswith("The cut between sites 0 and 1 carries the most entanglement")
    assert "Sites 0 and 3 share the most information, 1.386 nats." in found.sentence


def test_a_product_has_none():
    found = ql.entanglement(ql.mps_from_determinants([0b011], [0b001], [2.0], 3))

    np.testing.assert_allclose(found.orbital_entropies, 0.0, atol=1e-15)
    np.testing.assert_allclose(found.mutual_information, 0.0, atol=1e-15)
    assert found.bond_dimensions == (1, 1)
    assert found.sentence.startswith("The sites are not entangled")


def test_bond_dimensions_at_discarded_weights():
    """Schmidt weights 0.64 and 0.36: the second goes exactly when 0.36 may go."""
    found = ql.entanglement(ql.mps_from_determinants([1, 2], [1, 2], [0.8, 0.6], 2))

    assert found.bond_dimensions_at(0.35) == (2,)
    assert found.bond_dimensions_at(0.36 + 1e-12) == (1,)
    assert found.bond_dimensions_at(1.0) == (1,)


def test_block2_agrees(tmp_path):
    """Entropies and mutual information of a stretched H4 chain; block2 puts ½ before I.

    The energy that block2 finds for the same vector checks the signs of the CI coefficients. Both
    codes take eigenvalues of the same small matrices, so 1e-12 is far above rounding.
    """
    block2 = pytest.importorskip("pyblock2.driver.core")
    from pyscf import ao2mo, fci, gto, scf

    norb, nelec = 4, (3, 1)
    mol = gto.M(
        atom=[("H", (0, 0, 1.2 * k)) for k in range(norb)], basis="sto-6g", spin=2, verbose=0
    )
    mf = scf.ROHF(mol).run()
    one = mf.mo_coeff.T @ mf.get_hcore() @ mf.mo_coeff
    two = ao2mo.restore(1, ao2mo.kernel(mol, mf.mo_coeff), norb)
    energy, ci = fci.direct_spin1.kernel(one, two, norb, nelec, ecore=mol.energy_nuc())
    alphas, betas = (strings.rising(norb, n) for n in nelec)
    signed = ci * strings.site_signs(alphas, betas, norb)
    occupied = [
        [int((a >> p & 1) + 2 * (b >> p & 1)) for p in range(norb)] for a in alphas for b in betas
    ]
    driver = block2.DMRGDriver(
        scratch=str(tmp_path), symm_type=block2.SymmetryTypes.SZ, n_threads=1, stack_mem=2**27
    )
    driver.initialize_system(n_sites=norb, n_elec=sum(nelec), spin=nelec[0] - nelec[1])
    ket = driver.get_mps_from_csf_coefficients(
        occupied, list(signed.ravel()), tag="KET", dot=1, full_fci=True, iprint=0
    )
    mpo = driver.get_qc_mpo(h1e=one, g2e=two, ecore=mol.energy_nuc(), iprint=0)

    found = ql.entanglement(ql.mps_from_ci(ci, norb, nelec))

    assert driver.expectation(ket, mpo, ket) == pytest.approx(energy, abs=1e-9)
    single = driver.get_orbital_entropies(ket, orb_type=1)
    np.testing.assert_allclose(found.orbital_entropies, single, atol=1e-12)
    shared = driver.get_orbital_interaction_matrix(ket)
    np.testing.assert_allclose(found.mutual_information / 2, shared, atol=1e-12)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda mps: ql.entanglement(mps, discarded_weight=-1), "must be at least 0; got -1."),
        (lambda mps: ql.entanglement(ql.scale_mps(mps, 0.0)), "The MPS is zero; a vector without"),
        (
            lambda mps: ql.entanglement(mps).bond_dimensions_at(np.nan),
            "discarded_weight must be fini",
        ),
        (
            lambda mps: ql.entanglement(
                ql.MPS.from_tensors([np.ones((1, 2, 1)), np.ones((1, 3, 1))])
            ),
            "Entropies of sites need sites of one dimension; got [2, 3].",
        ),
    ],
)
def test_bad_input(act, message):
    with pytest.raises(ql.InputError, match=re.escape(message)):
        act(ql.MPS.from_vector(np.arange(8.0), 2))


def test_groups_of_sites_are_the_bonds():
    """Two pairs of electrons, each in a bond of its own: sites 0, 2 and sites 1, 3."""
    strings_of = [0b0011, 0b0110, 0b1001, 0b1100]  # one orbital of 0, 2 and one of 1, 3 filled
    weights = np.outer([0.8, -0.6], [0.8, -0.6]).ravel()[[0, 2, 1, 3]]
    mps = ql.mps_from_determinants(strings_of, strings_of, weights, 4)
    found = ql.entanglement(mps)
    assert set(found.groups(2).groups) == {(0, 2), (1, 3)}
    with pytest.raises(ql.InputError, match="between 1 and 4"):
        found.groups(5)

# SPDX-License-Identifier: Apache-2.0
"""The sum of squares as a record: shapes, read-only arrays, and what its factors say."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.hamiltonian import DiagonalOperator, Hamiltonian, from_integrals, from_pyscf
from qlowrank.hamiltonian.record import packed_two_body
from tests.molecules import fci_energy, integrals, mean_field
from tests.strategies import hamiltonians

EPS = np.finfo(float).eps


@pytest.fixture(scope="module")
def lih():
    return from_pyscf(mean_field("lih"), tolerance=0.0)


def rounding(two_body):
    """What adding norb² products may round in any element of Σ_t L_t ⊗ L_t."""
    return len(two_body) ** 2 * EPS * np.abs(two_body).max(initial=0.0)


@given(hamiltonians())
def test_the_factors_are_the_integrals(arrays):
    constant, one_body, two_body, nelec = arrays
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    norb = len(one_body)
    assert (hamiltonian.norb, hamiltonian.nelec) == (norb, nelec)
    assert hamiltonian.constant == constant
    assert hamiltonian.rank == len(hamiltonian.factors) <= norb * (norb + 1) // 2
    np.testing.assert_array_equal(hamiltonian.one_body, one_body)
    np.testing.assert_array_equal(hamiltonian.factors, hamiltonian.factors.transpose(0, 2, 1))
    allowed = 4 * rounding(two_body)
    kappa = one_body - np.einsum("prrq->pq", two_body) / 2
    np.testing.assert_allclose(hamiltonian.kappa, kappa, rtol=0, atol=allowed)
    allowed += hamiltonian.max_abs_error_bound
    np.testing.assert_allclose(hamiltonian.two_body(), two_body, rtol=0, atol=allowed)
    rows, cols = np.tril_indices(norb)
    np.testing.assert_allclose(
        packed_two_body(hamiltonian), two_body[rows, cols][:, rows, cols], rtol=0, atol=allowed
    )
    np.testing.assert_allclose(
        hamiltonian.normal_ordered_one_body(), one_body, rtol=0, atol=norb * allowed
    )


@pytest.mark.parametrize("name", ["h2", "h3", "heh", "lih"])
def test_fci_energies(name):
    hamiltonian = from_pyscf(mean_field(name), tolerance=0.0)
    energy = fci_energy(
        hamiltonian.constant,
        hamiltonian.normal_ordered_one_body(),
        hamiltonian.two_body(),
        hamiltonian.nelec,
    )
    assert abs(energy - fci_energy(*integrals(name))) <= 1e-9


def test_arrays_are_read_only(lih):
    for name in ("one_body", "kappa", "factors"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(lih, name)[0] = 1.0
    with pytest.raises(AttributeError):
        lih.nelec = (1, 1)


def test_it_says_what_it_is(lih):
    assert repr(lih).startswith("Hamiltonian(HLi: 6 orbitals, nelec=(2, 2), 21 factors, |error| <=")
    assert repr(lih).endswith(" Hartree)")


@pytest.mark.parametrize("record", [Hamiltonian, DiagonalOperator])
def test_arrays_have_units_and_axes(record):
    """As the archive writes them; the axes are as many as the shape in the docstring."""
    shown = {
        "one_body": 2,
        "kappa": 2,
        "factors": 3,
        "frame": 2,
        "linear": 1,
        "same_spin": 2,
        "opposite_spin": 2,
    }
    named = {f.name: f.metadata for f in fields(record) if f.name in shown}
    assert len(named) >= 3
    for name, metadata in named.items():
        assert metadata["units"] in {"1", "hartree", "hartree^0.5"}
        assert len(metadata["axes"].split(",")) == shown[name]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"one_body": np.eye(5)}, r"kappa must have shape \(5, 5\); got \(6, 6\)"),
        ({"kappa": np.eye(5)}, r"kappa must have shape \(6, 6\); got \(5, 5\)"),
        ({"kappa": np.triu(np.ones((6, 6)))}, "kappa must be symmetric"),
        ({"factors": np.zeros((3, 6, 5))}, r"factors must have shape \(3, 6, 6\); got \(3, 6, 5\)"),
        ({"factors": np.full((1, 6, 6), np.nan)}, "factors has 36 entries that are nan"),
        ({"nelec": (7, 0)}, "0 to 6 electrons of each spin into 6 orbitals"),
    ],
)
def test_bad_records(lih, change, message):
    with pytest.raises(InputError, match=message):
        replace(lih, **change)


def test_the_dense_tensor_is_guarded(lih, monkeypatch):
    """6⁴ numbers of 8 bytes."""
    assert lih.two_body(max_memory=10368).shape == (6, 6, 6, 6)
    with pytest.raises(InputError, match=r"of 6 orbitals needs 10\.37 kB .*Work with the factors"):
        lih.two_body(max_memory=10367)
    monkeypatch.setattr(checks, "available_memory", lambda: 10367)
    with pytest.raises(InputError, match="dense two-electron tensor of 6 orbitals needs"):
        lih.two_body()
    with pytest.raises(InputError, match="max_memory must be finite"):
        lih.two_body(max_memory=np.nan)


@pytest.mark.parametrize("norb", [0, 1, 3])
def test_no_repulsion(norb):
    """Rank zero: nothing but a one-body operator."""
    hamiltonian = from_integrals(0.5, -np.eye(norb), np.zeros((norb,) * 4), (norb, 0))
    assert hamiltonian.rank == 0
    assert hamiltonian.residual_trace == hamiltonian.max_abs_error_bound == 0.0
    np.testing.assert_array_equal(hamiltonian.two_body(), np.zeros((norb,) * 4))
    np.testing.assert_array_equal(hamiltonian.normal_ordered_one_body(), -np.eye(norb))


def test_one_orbital():
    hamiltonian = from_integrals(0.5, [[-1.0]], [[[[0.25]]]], (1, 1), tolerance=0.0)
    np.testing.assert_array_equal(hamiltonian.factors, [[[0.5]]])
    np.testing.assert_array_equal(hamiltonian.kappa, [[-1.125]])
    assert hamiltonian.two_body().item() == 0.25

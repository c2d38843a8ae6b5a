# SPDX-License-Identifier: Apache-2.0
"""Plain arrays: two layouts, three index orders, and all that is not integrals."""

import numpy as np
import pytest
from hypothesis import given

from qlowrank.checks import InputError
from qlowrank.hamiltonian import from_integrals
from qlowrank.integrals.arrays import read_arrays
from qlowrank.integrals.pairs import unpack
from tests.molecules import integrals
from tests.strategies import hamiltonians

H2 = integrals("h2")


def arrays(**changes):
    """The arguments for H2, some of them changed."""
    names = ("constant", "one_body", "two_body", "nelec")
    return dict(zip(names, H2, strict=True)) | changes


@given(hamiltonians())
def test_both_layouts_are_the_same(given_arrays):
    constant, one_body, two_body, nelec = given_arrays
    norb = len(one_body)
    rows, cols = np.tril_indices(norb)
    packed = two_body[rows, cols][:, rows, cols]
    whole = read_arrays(constant, one_body, two_body, nelec)
    part = read_arrays(constant, one_body, packed, nelec)
    for result in (whole, part):
        assert result.norb == norb
        assert result.nelec == nelec
        assert result.constants.total == constant
        np.testing.assert_array_equal(result.one_body, one_body)
        columns = unpack(result.pairs.columns(np.arange(len(rows))), norb)
        np.testing.assert_array_equal(columns, two_body[rows, cols])
    assert whole.source == part.source
    assert whole.source.origin == "arrays"


def test_lists_will_do():
    assert read_arrays(0, [[-1]], [[[[2]]]], [1, 0]).norb == 1


def test_no_orbitals():
    result = read_arrays(1.5, np.zeros((0, 0)), np.zeros((0, 0)), (0, 0))
    assert result.norb == 0
    assert result.constants.total == 1.5
    assert read_arrays(1.5, np.zeros((0, 0)), np.zeros((0,) * 4), (0, 0)).norb == 0


def test_the_digest_is_of_every_number():
    digests = {read_arrays(**arrays()).source.digest}
    digests.add(read_arrays(**arrays(constant=H2[0] + 1e-9)).source.digest)
    digests.add(read_arrays(**arrays(one_body=H2[1] + 1e-9)).source.digest)
    digests.add(read_arrays(**arrays(two_body=H2[2] + 1e-9)).source.digest)
    digests.add(read_arrays(**arrays(nelec=(2, 0))).source.digest)
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        ((0, 2, 1, 3), r"looks like physicists' order <pq\|rs>: pass two_body\.transpose\(0, 2, 1"),
        ((0, 2, 3, 1), r"looks like OpenFermion's order: pass two_body\.transpose\(0, 3, 1, 2\)"),
    ],
)
@pytest.mark.parametrize("name", ["h2", "lih", "water"])
def test_other_index_orders_are_recognised(name, order, hint):
    """And the remedy that is offered gives the tensor back."""
    constant, one_body, two_body, nelec = integrals(name)
    other = two_body.transpose(order)
    with pytest.raises(InputError, match=rf"chemists' order .*up to .* Hartree\. It {hint}"):
        read_arrays(constant, one_body, other, nelec)
    remedy = (0, 2, 1, 3) if order == (0, 2, 1, 3) else (0, 3, 1, 2)
    np.testing.assert_array_equal(other.transpose(remedy), two_body)


def test_no_order_at_all(rng):
    with pytest.raises(
        InputError, match=r"breaks this by up to .*\. Check how the tensor was made"
    ):
        read_arrays(**arrays(two_body=rng.standard_normal((2,) * 4)))


@pytest.mark.parametrize("at", [(0, 1, 0, 0), (0, 0, 1, 0), (1, 1, 0, 0), (0, 1, 0, 1)])
def test_symmetry_is_asked_to_1e_8(at):
    """Relative to the largest element where that is above 1."""
    for scale in (1.0, 1e3):
        two_body = scale * H2[2]
        allowed = 1e-8 * max(1.0, scale * np.abs(H2[2]).max())
        two_body[at] += 0.9 * allowed
        assert read_arrays(**arrays(two_body=two_body)).norb == 2
        two_body[at] += 0.2 * allowed
        with pytest.raises(InputError, match="two_body must be in chemists' order"):
            read_arrays(**arrays(two_body=two_body))


def test_small_asymmetries_are_averaged(rng):
    """What is accepted as symmetric can be decomposed without a tolerance."""
    constant, one_body, two_body, nelec = integrals("water")
    noisy = two_body + 1e-9 * rng.uniform(-1.0, 1.0, two_body.shape)
    rows, cols = np.tril_indices(7)
    for layout in (noisy, noisy[rows, cols][:, rows, cols]):
        hamiltonian = from_integrals(constant, one_body, layout, nelec, tolerance=0.0)
        np.testing.assert_allclose(hamiltonian.two_body(), two_body, rtol=0, atol=1.001e-9)
        assert hamiltonian.max_abs_error_bound < 1e-12


def with_entry(array, index, value):
    changed = np.array(array)
    changed[index] = value
    return changed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"constant": np.nan}, "constant must be finite; got nan"),
        ({"constant": 1j}, "constant must be a real number"),
        ({"one_body": np.zeros(4)}, r"one_body must have shape \(norb, norb\); got \(4,\)"),
        ({"one_body": np.zeros((2, 3))}, r"one_body must have shape \(norb, norb\); got \(2, 3\)"),
        ({"one_body": [[1.0, 2.0], [1.0]]}, "one_body must be an array; its rows differ in length"),
        ({"one_body": [[0.0, 1.0], [0.0, 0.0]]}, "one_body must be symmetric; .* 1.00e"),
        ({"one_body": 1j * np.eye(2)}, "one_body must be real; got complex"),
        ({"one_body": with_entry(np.eye(2), 0, np.nan)}, "one_body has 2 entries that are nan"),
        (
            {"two_body": np.zeros((3, 3, 3, 3))},
            r"two_body must have shape \(2, 2, 2, 2\) or, packed over pairs, \(3, 3\); got \(3, 3, "
            r"3, 3\)",
        ),
        ({"two_body": np.zeros(6)}, r"two_body must have shape .*; got \(6,\)"),
        ({"two_body": [[1.0], [1.0, 2.0]]}, "two_body must be an array; its rows differ"),
        ({"two_body": np.zeros((2,) * 4, complex)}, "two_body must be real; got complex"),
        (
            {"two_body": with_entry(H2[2], (0, 0, 0, 0), np.inf)},
            "two_body has 1 entries that are nan or inf",
        ),
        ({"two_body": np.triu(np.ones((3, 3)))}, "packed two_body must be symmetric"),
        ({"two_body": np.full((3, 3), np.nan)}, "packed two_body has 9 entries that are nan"),
        ({"nelec": 2}, "nelec must be two integers"),
        ({"nelec": (3, 1)}, "nelec must put 0 to 2 electrons"),
    ],
)
def test_bad_arrays(changes, message):
    with pytest.raises(InputError, match=message):
        read_arrays(**arrays(**changes))

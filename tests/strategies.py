# SPDX-License-Identifier: Apache-2.0
"""Random input that is valid by construction: semidefinite matrices and integrals."""

import numpy as np
from hypothesis import strategies as st

generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def semidefinite(draw, largest=24):
    """Positive semidefinite matrices: generic, low-rank, degenerate, badly scaled or zero."""
    generator, size = draw(generators), draw(st.integers(0, largest))
    rank = draw(st.integers(0, size))
    kind = draw(st.sampled_from(["gram", "whole", "projector", "decay", "scaled", "kernel"]))
    columns = generator.standard_normal((size, rank))
    if kind == "whole":  # many equal numbers, many exact ties
        columns = generator.integers(-1, 2, (size, rank)).astype(float)
    elif kind == "projector":
        columns = np.linalg.qr(generator.standard_normal((size, size)))[0][:, :rank]
    elif kind == "decay":
        columns = np.linalg.qr(generator.standard_normal((size, size)))[0]
        columns = columns * 10.0 ** generator.uniform(-7, 0, size)
    elif kind == "scaled":
        columns = columns * 10.0 ** generator.uniform(-4, 1, size)[:, None]
    elif kind == "kernel":
        points = generator.uniform(size=size)
        return np.exp(-((points[:, None] - points) ** 2) * draw(st.floats(0.01, 100)))
    matrix = columns @ columns.T
    return (matrix + matrix.T) / 2


@st.composite
def tensors(draw, largest=4):
    """(pq|rs) of full or low rank with its eightfold symmetry, shape (norb,)*4."""
    generator, norb = draw(generators), draw(st.integers(1, largest))
    rank = draw(st.integers(0, norb * (norb + 1) // 2))
    factors = generator.standard_normal((rank, norb, norb))
    factors *= 10.0 ** generator.uniform(-3, 0, rank)[:, None, None]
    factors = factors + factors.transpose(0, 2, 1)
    return np.einsum("tpq,trs->pqrs", factors, factors)


@st.composite
def hamiltonians(draw, largest=4):
    """Arguments of `from_integrals`: constant, one_body, two_body, nelec."""
    two_body, generator = draw(tensors(largest)), draw(generators)
    norb = len(two_body)
    one_body = generator.standard_normal((norb, norb))
    nelec = draw(st.integers(0, norb)), draw(st.integers(0, norb))
    return float(generator.standard_normal()), one_body + one_body.T, two_body, nelec


@st.composite
def factor_stacks(draw):
    """Symmetric matrices, among them linearly dependent ones, none at all, and of no orbital."""
    generator = draw(generators)
    norb, rank = draw(st.integers(0, 5)), draw(st.integers(0, 8))
    stack = generator.standard_normal((rank, norb, norb)) * 10.0 ** generator.uniform(-4, 1)
    if rank > 1 and draw(st.booleans()):
        stack[-1] = stack[0]
    return stack + stack.transpose(0, 2, 1)

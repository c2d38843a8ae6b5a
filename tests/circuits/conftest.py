# SPDX-License-Identifier: Apache-2.0
"""Random frames, and Jordan-Wigner operators as dense matrices, for the tests of this room."""

from functools import reduce

import numpy as np
import pytest


@pytest.fixture
def random_frame(rng):
    """A function that draws an orthogonal matrix, its determinant +1 or -1 as it comes."""

    def draw(norb):
        return np.linalg.qr(rng.standard_normal((norb, norb)))[0]

    return draw


@pytest.fixture
def creators():
    """A function that writes a†_p as a matrix for each of n modes; mode 0 is the lowest bit."""

    def make(n_modes):
        up, sign = np.array([[0.0, 0.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
        return [
            reduce(np.kron, [np.eye(2)] * (n_modes - 1 - mode) + [up] + [sign] * mode)
            for mode in range(n_modes)
        ]

    return make

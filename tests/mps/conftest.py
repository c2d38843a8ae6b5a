# SPDX-License-Identifier: Apache-2.0
"""Random CI matrices."""

from math import comb

import numpy as np
import pytest


@pytest.fixture
def random_ci(rng):
    """A function that returns a normalised full-rank CI matrix of a sector."""

    def draw(norb, nelec):
        matrix = rng.standard_normal([comb(norb, n) for n in nelec])
        return matrix / np.linalg.norm(matrix)

    return draw

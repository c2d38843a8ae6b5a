# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all rooms."""

import zlib

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("qlowrank", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("qlowrank")


@pytest.fixture
def rng(request):
    """A generator seeded by the test's own name: the same alone, in any order, in parallel."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))

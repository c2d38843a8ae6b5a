# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all rooms."""

import zlib

import numpy as np
import pytest
from hypothesis import settings

from qlowrank.parallel import threads

settings.register_profile("qlowrank", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("qlowrank")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Sums have one order, and small matrices do not wait for threads to wake up."""
    with threads(1):
        yield


@pytest.fixture
def rng(request):
    """A generator seeded by the test's own name: the same alone, in any order, in parallel."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))

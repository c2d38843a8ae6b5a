# SPDX-License-Identifier: Apache-2.0
"""One-body operators applied to a chain: images, their norms, and their compression."""

from qlowrank.mps.action.image import Image
from qlowrank.mps.action.one_body import ChainOperator, one_body_operator

__all__ = ["ChainOperator", "Image", "one_body_operator"]

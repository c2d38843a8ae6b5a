# SPDX-License-Identifier: Apache-2.0
"""Electron integrals: where they come from, checked on the way in."""

# SPDX-License-Identifier: Apache-2.0
"""Ways to split a Hamiltonian into groups of commuting operators."""

# SPDX-License-Identifier: Apache-2.0
"""Two-electron integrals decomposed straight from shells of atomic orbitals: no N⁴ tensor."""

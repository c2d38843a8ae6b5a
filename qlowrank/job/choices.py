# SPDX-License-Identifier: Apache-2.0
"""What can be chosen by name."""

from collections.abc import Callable
from typing import Any

from qlowrank.factorization import CholeskyGauge, EigenGauge, Gauge
from qlowrank.hamiltonian import Hamiltonian
from qlowrank.measurement import (
    FluidFragments,
    FragmentMethod,
    MeanFieldFragments,
    MixedFragments,
    OptimizedFragments,
    PlainFragments,
    ResplitFragments,
)
from qlowrank.states import (
    GivenOrbitals,
    InformationOrdered,
    LocalOrbitals,
    OrderedOrbitals,
    SplitLocalOrbitals,
    State,
    cisd_state,
    fci_state,
    ground_state_mps,
    hartree_fock_state,
)
from qlowrank.states.sites import SiteOrbitals

GAUGES: dict[str, Gauge] = {"df": CholeskyGauge(), "df-eigen": EigenGauge()}
"""Closed forms of leaves, by the names the command line knows."""

KIND_OF_METHOD = {
    "df": "factorization",
    "df-eigen": "factorization",
    "gauge": "factorization",
    "compressed": "compressed",
    "thc": "hypercontraction",
}
"""Every method by name, and the kind of record it makes, as archives call it."""

_METHODS = {
    "cholesky": "df",
    "eigen": "df-eigen",
    "gauge": "gauge",
    "compressed": "compressed",
    "hypercontraction": "thc",
}


def method_name(factorization: Any) -> str:
    """Return the command line's name for the method of a factorization, shifted or not."""
    made = str(factorization.status.method)
    return _METHODS.get(made.split(",", maxsplit=1)[0], made)


STATES: dict[str, Callable[[Hamiltonian], State]] = {
    "hf": hartree_fock_state,
    "cisd": cisd_state,
    "fci": fci_state,
    "mps": ground_state_mps,
}
"""States that can price a plan, by name."""

SITES: dict[str, SiteOrbitals | None] = {
    "suited": None,
    "molecule": OrderedOrbitals(),
    "given": GivenOrbitals(),
    "local": LocalOrbitals(),
    "split": SplitLocalOrbitals(),
    "information": InformationOrdered(),
}
"""Orbitals of an MPS, by name; None is what `ground_state_mps` does by itself."""

FRAGMENTS: dict[str, Callable[[int], FragmentMethod]] = {
    "plain": lambda _: PlainFragments(),
    "mean-field": lambda _: MeanFieldFragments(),
    "fluid": lambda _: FluidFragments(),
    "mixed": lambda seed: MixedFragments(seed=seed),
    "resplit": lambda _: ResplitFragments(),
    "optimized": lambda seed: OptimizedFragments(seed=seed),
}
"""Ways to choose groups, by name, from a seed."""

# SPDX-License-Identifier: Apache-2.0
"""qlowrank: a molecule as a certified sum of squares, and what follows from it.

>>> import qlowrank as ql
>>> hamiltonian = ql.from_example("h2")
>>> factorization = ql.double_factorize(hamiltonian)
>>> plan = ql.plan_measurement(factorization, ql.fci_state(hamiltonian))
>>> plan.n_groups
4

Public names are imported from their rooms when first used, so that `import qlowrank` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_ROOMS = {
    "checks": ("InputError", "NotConvergedError"),
    "integrals.examples": ("EXAMPLES",),
    "hamiltonian": (
        "DiagonalOperator",
        "Hamiltonian",
        "from_example",
        "from_fcidump",
        "from_integrals",
        "from_openfermion",
        "from_pyscf",
        "from_xyz",
    ),
    "factorization": (
        "CholeskyGauge",
        "DoubleFactorization",
        "EigenGauge",
        "MedianShift",
        "OneNormShift",
        "SymmetryShift",
        "TracelessShift",
        "double_factorize",
        "shift_symmetry",
        "unshift",
    ),
    "factorization.gauges": (
        "EnergyFit",
        "EnergyTrial",
        "GaugeDescent",
        "GaugeResult",
        "GaugeStatus",
        "LocalGauge",
        "OneNormFloor",
        "SquareEncoding",
        "SquareFit",
        "encode_squares",
        "fit_squares",
        "fit_squares_to_energy",
        "one_norm_floor",
        "optimize_gauge",
    ),
    "factorization.mean_field": ("keep_mean_field",),
    "factorization.compare": ("LeavesComparison", "compare_leaves"),
    "lowrank.groups": ("AffinityGroups", "affinity_groups"),
    "resources": ("ResourceEstimate", "resource_estimate"),
    "factorization.compression": (
        "CompressedFactorization",
        "Continue",
        "CoreOneNorm",
        "CoreSquares",
        "FrobeniusError",
        "LargestLeaves",
        "OneNorm",
        "QuasiNewton",
        "RandomLeaves",
        "SectorError",
        "ShotCost",
        "WeightedSum",
        "compress",
    ),
    "factorization.hypercontraction": (
        "GridPoints",
        "Hypercontraction",
        "LeafPoints",
        "RandomPoints",
        "hypercontract",
    ),
    "states": (
        "Block2DMRG",
        "CISDState",
        "DeterminantState",
        "ExactCI",
        "FCIState",
        "Fitting",
        "GivenOrbitals",
        "InformationOrdered",
        "LocalOrbitals",
        "MPSState",
        "OrderedOrbitals",
        "SplitLocalOrbitals",
        "SuitedOrbitals",
        "VarianceConvergence",
        "cisd_state",
        "fci_state",
        "ground_state_mps",
        "hartree_fock_state",
        "mps_from_block2",
        "variances_by_bond",
    ),
    "lowrank.rank_rules": (
        "AkaikeRule",
        "CertificateRule",
        "ErrorRule",
        "GapRule",
        "InformationRule",
        "TraceRule",
    ),
    "hamiltonian.fitted": ("from_pyscf_ri", "sampled_error"),
    "hamiltonian.truncate": ("EnergyRule", "principal_factors", "recompress", "truncate"),
    "states.correlation": ("CoupledClusterError", "coupled_cluster_error"),
    "states.coupled_cluster": ("CoupledClusterReference", "coupled_cluster_reference"),
    "states.intervals": (
        "CISD",
        "FCI",
        "CoupledCluster",
        "EnergyInterval",
        "HartreeFock",
        "energy_interval",
    ),
    "mps": (
        "MPS",
        "ActiveSpace",
        "Determinants",
        "Entanglement",
        "ExactTrain",
        "RandomizedTrain",
        "add_mps",
        "canonicalise_mps",
        "compress_mps",
        "determinants_above",
        "entanglement",
        "largest_determinants",
        "mps_from_ci",
        "mps_from_cisd",
        "mps_from_determinants",
        "one_body_expectation",
        "sample_determinants",
        "scale_mps",
        "spin_densities",
        "split_orbitals",
        "square_expectation",
        "suggest_active_space",
        "two_body_expectation",
    ),
    "circuits.chain": (
        "ChainPreparation",
        "DisentanglingLayers",
        "ExactSequence",
        "prepare_chain",
    ),
    "circuits": ("determinant_circuit", "measurement_circuit", "orbital_rotation_circuit"),
    "evolution": ("trotter_circuit",),
    "measurement": (
        "Comparison",
        "AllShots",
        "EnergyEstimate",
        "FluidFragments",
        "MeanFieldFragments",
        "MeasurementPlan",
        "Measurements",
        "MixedFragments",
        "OptimizedFragments",
        "PlainFragments",
        "PostSelected",
        "ResplitFragments",
        "SectorBias",
        "StateBias",
        "compare_measurements",
        "plan_measurement",
        "plan_with_budget",
        "prepare_mps",
        "replan",
        "simulate_counts",
        "simulate_measurement",
    ),
    "archive": ("load", "save", "verify"),
}

_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604 (names are strings)


def __getattr__(name: str) -> Any:
    """Import a public name from its room on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'qlowrank' has no attribute {name!r}")
    value = getattr(import_module(f"qlowrank.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__


if TYPE_CHECKING:
    from qlowrank.archive import load, save, verify
    from qlowrank.checks import InputError, NotConvergedError
    from qlowrank.circuits import (
        determinant_circuit,
        measurement_circuit,
        orbital_rotation_circuit,
    )
    from qlowrank.circuits.chain import (
        ChainPreparation,
        DisentanglingLayers,
        ExactSequence,
        prepare_chain,
    )
    from qlowrank.evolution import trotter_circuit
    from qlowrank.factorization import (
        CholeskyGauge,
        DoubleFactorization,
        EigenGauge,
        MedianShift,
        OneNormShift,
        SymmetryShift,
        TracelessShift,
        double_factorize,
        shift_symmetry,
        unshift,
    )
    from qlowrank.factorization.compare import LeavesComparison, compare_leaves
    from qlowrank.factorization.compression import (
        CompressedFactorization,
        Continue,
        CoreOneNorm,
        CoreSquares,
        FrobeniusError,
        LargestLeaves,
        OneNorm,
        QuasiNewton,
        RandomLeaves,
        SectorError,
        ShotCost,
        WeightedSum,
    )
    from qlowrank.factorization.compression.compress import compress
    from qlowrank.factorization.gauges import (
        EnergyFit,
        EnergyTrial,
        GaugeDescent,
        GaugeResult,
        GaugeStatus,
        LocalGauge,
        OneNormFloor,
        SquareEncoding,
        SquareFit,
        encode_squares,
        fit_squares,
        fit_squares_to_energy,
        one_norm_floor,
        optimize_gauge,
    )
    from qlowrank.factorization.hypercontraction import (
        GridPoints,
        Hypercontraction,
        LeafPoints,
        RandomPoints,
    )
    from qlowrank.factorization.hypercontraction.hypercontract import hypercontract
    from qlowrank.factorization.mean_field import keep_mean_field
    from qlowrank.hamiltonian import (
        DiagonalOperator,
        Hamiltonian,
        from_example,
        from_fcidump,
        from_integrals,
        from_openfermion,
        from_pyscf,
        from_xyz,
    )
    from qlowrank.hamiltonian.fitted import from_pyscf_ri, sampled_error
    from qlowrank.hamiltonian.truncate import (
        EnergyRule,
        principal_factors,
        recompress,
        truncate,
    )
    from qlowrank.integrals.examples import EXAMPLES
    from qlowrank.lowrank.groups import AffinityGroups, affinity_groups
    from qlowrank.lowrank.rank_rules import (
        AkaikeRule,
        CertificateRule,
        ErrorRule,
        GapRule,
        InformationRule,
        TraceRule,
    )
    from qlowrank.measurement import (
        AllShots,
        Comparison,
        EnergyEstimate,
        FluidFragments,
        MeanFieldFragments,
        MeasurementPlan,
        Measurements,
        MixedFragments,
        OptimizedFragments,
        PlainFragments,
        PostSelected,
        ResplitFragments,
        SectorBias,
        StateBias,
        compare_measurements,
        plan_measurement,
        plan_with_budget,
        prepare_mps,
        simulate_counts,
        simulate_measurement,
    )
    from qlowrank.measurement.replan import replan
    from qlowrank.mps import (
        MPS,
        ActiveSpace,
        Determinants,
        Entanglement,
        ExactTrain,
        RandomizedTrain,
        add_mps,
        canonicalise_mps,
        compress_mps,
        determinants_above,
        largest_determinants,
        mps_from_ci,
        mps_from_cisd,
        mps_from_determinants,
        one_body_expectation,
        sample_determinants,
        scale_mps,
        spin_densities,
        split_orbitals,
        square_expectation,
        suggest_active_space,
        two_body_expectation,
    )
    from qlowrank.mps.entanglement import entanglement
    from qlowrank.resources import ResourceEstimate, resource_estimate
    from qlowrank.states import (
        Block2DMRG,
        CISDState,
        DeterminantState,
        ExactCI,
        FCIState,
        Fitting,
        GivenOrbitals,
        InformationOrdered,
        LocalOrbitals,
        MPSState,
        OrderedOrbitals,
        SplitLocalOrbitals,
        SuitedOrbitals,
        VarianceConvergence,
        cisd_state,
        fci_state,
        ground_state_mps,
        hartree_fock_state,
        mps_from_block2,
        variances_by_bond,
    )
    from qlowrank.states.correlation import CoupledClusterError, coupled_cluster_error
    from qlowrank.states.coupled_cluster import CoupledClusterReference, coupled_cluster_reference
    from qlowrank.states.intervals import (
        CISD,
        FCI,
        CoupledCluster,
        EnergyInterval,
        HartreeFock,
        energy_interval,
    )

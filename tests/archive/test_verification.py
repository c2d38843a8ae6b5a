# SPDX-License-Identifier: Apache-2.0
"""Verification passes what is true and finds what is not, forged hashes included."""

import dataclasses

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.archive import Check, Verification, check_plan
from qlowrank.archive.check import within
from qlowrank.archive.check_factorization import _integral_checks
from qlowrank.archive.check_outcomes import CHANCE, _bernstein
from qlowrank.measurement import FluidFragments, FragmentStatus, MeanFieldFragments


def failed(path):
    """Names of the checks that did not pass."""
    return {check.name for check in ql.verify(path).failed}


# --- what is true passes -------------------------------------------------------------------------


def test_a_whole_study_passes(archive):
    verification = ql.verify(archive)

    assert verification.passed, verification.summary()
    assert verification.failed == ()
    assert {type(check.passed) for check in verification.checks} == {bool}
    assert repr(verification) == f"Verification(passed, {len(verification.checks)} checks)"
    assert len(verification.summary().splitlines()) == len(verification.checks)
    subjects = {check.name.split(":")[0] for check in verification.checks}
    assert {"hamiltonian", "factorization", "plan", "estimate", "experiments"} <= subjects
    assert {"fci state", "cisd state", "determinant state", "cisd state's determinant"} <= subjects


@pytest.mark.parametrize(
    "kinds",
    [
        ["run"],
        ["fci_state"],
        ["plan"],
        ["estimate"],
        ["experiments"],
        ["factorization"],
        ["factorization", "cisd_state"],
        ["hamiltonian", "determinant_state"],
        ["hamiltonian", "plan", "fci_state"],
        ["plan", "estimate"],
        ["plan", "experiments", "fci_state"],
        ["factorization", "plan", "cisd_state"],
    ],
    ids=" ".join,
)
def test_every_part_of_a_study_passes(tmp_path, records, kinds):
    """As far as the records that are held allow."""
    ql.save(tmp_path / "a.h5", *(records[kind] for kind in kinds))

    verification = ql.verify(tmp_path / "a.h5")
    assert verification.passed, verification.summary()


@st.composite
def integrals(draw):
    """Random positive semidefinite integrals, low rank and zero electrons among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    norb, rank = draw(st.integers(1, 4)), draw(st.integers(0, 6))
    one_body = rng.standard_normal((norb, norb))
    factors = rng.standard_normal((rank, norb, norb)) * 10.0 ** rng.uniform(-4, 0.5, (rank, 1, 1))
    factors = factors + factors.transpose(0, 2, 1)
    n_beta = draw(st.integers(0, norb))
    nelec = (draw(st.integers(n_beta, norb)), n_beta)
    two_body = np.einsum("tpq,trs->pqrs", factors, factors)
    return float(rng.standard_normal()), one_body + one_body.T, two_body, nelec


@settings(max_examples=25)
@given(
    integrals(),
    st.sampled_from([0.0, 1e-6, 1e-2]),
    st.sampled_from([0.0, 1e-2]),
    st.sampled_from([ql.CholeskyGauge(), ql.EigenGauge()]),
    st.booleans(),
)
def test_studies_of_random_integrals_pass(tmp_path_factory, arrays, loose, cut, gauge, rebuilt):
    """Truncated or not, leaves cut or not, open shells, rebuilt from leaves, no electrons."""
    hamiltonian = ql.from_integrals(*arrays, tolerance=loose)
    if rebuilt:
        hamiltonian = ql.double_factorize(hamiltonian, tolerance=cut).to_hamiltonian()
    factorization = ql.double_factorize(hamiltonian, tolerance=cut, gauge=gauge)
    state = ql.fci_state(hamiltonian)
    plan = ql.plan_measurement(factorization, state, precision=0.1)
    path = tmp_path_factory.mktemp("random") / "a.h5"
    ql.save(path, hamiltonian, factorization, state, plan)

    verification = ql.verify(path)
    assert verification.passed, verification.summary()


@pytest.mark.parametrize("digits", [6, 8, 10])
def test_integrals_with_few_digits_pass(tmp_path, digits):
    """Rounded integrals are a little indefinite: what is clipped on import is no forgery."""
    hamiltonian = ql.from_example("h10", active=(4, 6), tolerance=0.0)
    rounded = ql.from_integrals(
        round(hamiltonian.constant, digits),
        hamiltonian.one_body.round(digits),
        hamiltonian.two_body().round(digits),
        hamiltonian.nelec,
        tolerance=1e-4,
    )
    ql.save(tmp_path / "a.h5", rounded, ql.double_factorize(rounded), ql.cisd_state(rounded))

    verification = ql.verify(tmp_path / "a.h5")
    assert verification.passed, verification.summary()


def test_an_open_shell_passes(tmp_path):
    """ROHF, n_alpha ≠ n_beta, CISD on it, all orbitals."""
    from pyscf import gto, scf

    mol = gto.M(atom="He 0 0 0; H 0 0 0.9", basis="6-31g", spin=1, verbose=0)
    hamiltonian = ql.from_pyscf(scf.ROHF(mol).run(conv_tol=1e-12), tolerance=1e-4)
    factorization = ql.double_factorize(hamiltonian, tolerance=1e-3)
    state = ql.cisd_state(hamiltonian)
    ql.save(
        tmp_path / "a.h5",
        *(hamiltonian, factorization, state, ql.hartree_fock_state(hamiltonian)),
        ql.plan_measurement(factorization, state),
    )

    verification = ql.verify(tmp_path / "a.h5")
    assert verification.passed, verification.summary()
    assert "hamiltonian: mean-field energy" in {check.name for check in verification.checks}


@pytest.mark.parametrize("cut", [0.0, 1e-2])
def test_a_molecule_rebuilt_from_leaves_passes(tmp_path, records, cut):
    """The mean-field energy is then off either way, within electrons × trace norm."""
    factorization = ql.double_factorize(records["hamiltonian"], tolerance=cut)
    ql.save(tmp_path / "a.h5", factorization.to_hamiltonian())

    verification = ql.verify(tmp_path / "a.h5")
    assert verification.passed, verification.summary()
    assert any("rebuilt from leaves" in check.name for check in verification.checks)


@pytest.mark.parametrize("fragments", [MeanFieldFragments(), FluidFragments()])
def test_groups_with_shifted_one_body_parts_pass(tmp_path, records, forge, fragments):
    """And fail where what one group gives is not what another takes."""
    path = tmp_path / "a.h5"
    factorization, state = records["factorization"], records["fci_state"]
    plan = ql.plan_measurement(factorization, state, fragments=fragments)
    ql.save(path, factorization, state, plan)
    assert ql.verify(path).passed

    def shifted(linear):
        linear[1, 0] += 1e-6
        return linear

    forge(path, **{"plan/groups/linear": shifted})
    assert "plan: one-body parts sum to kappa" in failed(path)


def test_groups_of_any_other_kind_are_compared_as_a_sum(tmp_path, records):
    """One group of no shots' worth less, and one that is the same in another guise."""
    factorization, state, plan = (records[kind] for kind in ("factorization", "fci_state", "plan"))
    other = FragmentStatus("resplit", converged=True)
    # on two electrons, n_1α + n_1β … is the number of electrons: a constant in disguise
    norb = plan.norb
    first = plan.groups[0]
    moved = dataclasses.replace(first, linear=first.linear + 0.25 / sum(plan.nelec))
    groups = (moved, *plan.groups[1:])
    constant = plan.constant - 0.25
    means = plan.pricing.means + np.eye(plan.n_groups)[0] * 0.25
    good = dataclasses.replace(
        plan,
        groups=groups,
        constant=constant,
        pricing=dataclasses.replace(plan.pricing, means=means),
        fragments=other,
    )
    ql.save(tmp_path / "good.h5", factorization, state, good)
    assert ql.verify(tmp_path / "good.h5").passed

    bump = np.zeros((norb, norb))
    bump[0, 1] = bump[1, 0] = 1e-4
    last = good.groups[-1]
    forged = dataclasses.replace(last, opposite_spin=last.opposite_spin + bump)
    ql.save(
        tmp_path / "bad.h5",
        factorization,
        dataclasses.replace(good, groups=(*good.groups[:-1], forged)),
    )
    assert failed(tmp_path / "bad.h5") == {"plan: groups sum to the factorization"}


def test_progress_is_reported(archive):
    seen = []
    ql.archive.verify(archive, progress=lambda what, done, _: seen.append((what, done)))

    assert seen[0] == ("moments recomputed", 1)
    assert [done for _, done in seen] == list(range(1, len(seen) + 1))


# --- what is false is found ----------------------------------------------------------------------

FREE = {
    **dict.fromkeys(
        (
            f"{kind}/optimizer/{name}"
            for kind in ("compressed", "hypercontraction")
            for name in ("converged", "gradient_norm", "history", "seed")
        ),
        "how the fit was found; how good it is is checked",
    ),
    **dict.fromkeys(
        (
            f"{kind}/status/{name}"
            for kind in ("compressed", "hypercontraction")
            for name in ("max_abs_error", "trace_norm_error")
        ),
        "a bound; a looser one claims less",
    ),
    "compressed/status/frobenius_error": "a bound; a looser one claims less",
    **dict.fromkeys(
        (
            f"gauge_status/{name}"
            for name in ("converged", "gradient_norm", "history", "one_norms", "seed", "widths")
        ),
        "how the gauge was found",
    ),
    **dict.fromkeys(
        (
            f"square_fit/encoding/optimizer/{name}"
            for name in ("converged", "gradient_norm", "history", "one_norms", "seed", "widths")
        ),
        "how the fit was found; how good it is is checked",
    ),
    "square_fit/encoding/offsets": "any offset is taken back by an orbital that is empty",
    "square_fit/pair_energy_change": "what the reference predicted, which is not in the file",
    "mps_state/convergence/bond_dimensions": "how the chain was found",
    "mps_state/convergence/discarded_weights": "how the chain was found",
    "mps_state/convergence/energies": "how the chain was found; its own energy is checked",
    "mps_state/convergence/sweeps": "how the chain was found",
    "mps_state/fitting/cutoff": "how operators are applied; that moments are right is checked",
    "mps_state/fitting/growth": "how operators are applied",
    "mps_state/fitting/tolerance": "how operators are applied",
    "mps_state/mps/discarded_weights": "what was cut off before; what was kept does not show it",
    "mps_state/mps/window": "which tensors need not be isometries; a wider window claims less",
    "mps/discarded_weights": "what was cut off before; what was kept does not show it",
    "mps/window": "which tensors need not be isometries; a wider window claims less",
    "entanglement/discarded_weight": "what bond dimensions are asked for",
    "hamiltonian/truncation/tolerance": "what was asked for; only bounded by what was reached",
    "plan/fragments/converged": "how the groups were found; that they are right is checked",
    "plan/fragments/iterations": "how the groups were found",
    "plan/pricing/spent": "what was measured before; it binds only where it was more than needed",
    "experiments/energies": "one random outcome among its likes",
    "experiments/standard_errors": "one random outcome among its likes",
    "experiments/sample_standard_errors": "one random outcome among its likes",
}
"""Numbers that nothing else in a study determines."""


def changed(value):
    """A value of the same type that is another number: the last entry moved by a thousandth."""
    data = np.array(value)
    step = 1 if data.dtype.kind in "iu" else 1e-3 * max(1.0, float(np.abs(data).max()))
    flat = data.reshape(-1)
    flat[-1] = flat[-1] - step if data.dtype.kind in "iu" and flat[-1] > 2 else flat[-1] + step
    return data


CHAINS = ("mps", "entanglement")
"""Kinds that are checked against each other alone, so that a small archive will do."""

SMALL = (*CHAINS, "square_fit")
"""Kinds whose numbers are changed in small archives."""


def unnoticed(archive, forge, *, without=()):
    """Change every number of an archive in turn, hashes made right; return which pass, and all."""
    whole = archive.read_bytes()
    with h5py.File(archive) as file:
        names = []
        file.visititems(
            lambda name, item: (
                names.append(name)
                if isinstance(item, h5py.Dataset)
                and item.shape is not None
                and item.size
                and item.dtype.kind != "S"
                and name.split("/")[0] not in without
                else None
            )
        )
    passed = set()
    for name in names:
        archive.write_bytes(whole)
        forge(archive, **{name: changed})
        if ql.verify(archive).passed:
            passed.add(name)
    return passed, names


@pytest.mark.slow
def test_every_changed_number_is_found(archive, forge):
    """Any number of a study moved by a thousandth, all hashes made right: verification fails."""
    passed, names = unnoticed(archive, forge, without=SMALL)

    assert len(names) > 60
    assert passed == {name for name in FREE if name.split("/")[0] not in SMALL}


def test_every_changed_number_of_fitted_squares_is_found(tmp_path, records, forge):
    path = tmp_path / "fit.h5"
    ql.save(path, records["hamiltonian"], records["square_fit"])
    passed, names = unnoticed(path, forge, without=("hamiltonian",))

    assert len(names) > 30
    assert passed == {name for name in FREE if name.startswith("square_fit/")}


def test_every_changed_number_of_a_chain_is_found(tmp_path, records, forge):
    path = tmp_path / "chain.h5"
    ql.save(path, *(records[kind] for kind in CHAINS))
    passed, names = unnoticed(path, forge)

    assert len(names) > 10
    assert passed == {name for name in FREE if name.split("/")[0] in CHAINS}


def diagonal(data):
    data[0, 0] += 1e-6
    return data


def off_diagonal(data):
    data[0, 1] += 1e-3
    data[1, 0] += 1e-3
    return data


def leaf_turned(data):
    """Two rotated orbitals of a leaf mixed: it stays orthogonal."""
    cosine, sine = np.cos(1e-4), np.sin(1e-4)
    data[0][:, :2] = data[0][:, :2] @ np.array([[cosine, -sine], [sine, cosine]])
    return data


def factor_turned(data):
    data[0, 0, 1] += 1e-6
    data[0, 1, 0] += 1e-6
    return data


def vector_turned(data):
    data[0, 1] += 1e-3
    return data / np.linalg.norm(data)


def one_more(data):
    data[0] += 1
    return data


def first_higher(data):
    data[0] += 1e-6
    return data


@pytest.mark.parametrize(
    ("name", "change", "check"),
    [
        ("hamiltonian/kappa", diagonal, "hamiltonian: residual trace"),
        ("hamiltonian/kappa", off_diagonal, "hamiltonian: residual positive semidefinite"),
        ("hamiltonian/kappa", off_diagonal, "factorization: one-body part is the hamiltonian's"),
        ("hamiltonian/one_body", diagonal, "hamiltonian: residual trace"),
        ("hamiltonian/factors", factor_turned, "hamiltonian: residual trace"),
        ("hamiltonian/factors", factor_turned, "factorization: integrals, Frobenius norm"),
        ("hamiltonian/truncation/discarded", lambda x: x * 1.001, "hamiltonian: residual trace"),
        ("hamiltonian/truncation/max_error", lambda x: x * 3, "hamiltonian: tolerance"),
        ("hamiltonian/truncation/max_error", lambda x: x / 99, "hamiltonian: error bound"),
        ("hamiltonian/truncation/rank", lambda x: x + 1, "hamiltonian: rank"),
        (
            "hamiltonian/constants/nuclear_repulsion",
            lambda x: x + 0.01,
            "hamiltonian: mean-field energy",
        ),
        ("hamiltonian/constants/other", lambda x: x + 1e-9, "factorization: constants"),
        ("factorization/constants/other", lambda x: x + 1e-7, "fci state: energy"),
        (
            "hamiltonian/source/references/energy",
            lambda x: x + 0.01,
            "hamiltonian: mean-field energy",
        ),
        ("factorization/eigenvalues", lambda x: x * (1 + 1e-9), "factorization: integrals, trace"),
        ("factorization/leaves", leaf_turned, "factorization: integrals, Frobenius norm"),
        ("factorization/leaves", lambda x: x * 1.001, "factorization: leaves orthogonal"),
        ("factorization/one_body", diagonal, "plan: one-body parts sum to kappa"),
        ("factorization/status/max_abs_error", lambda x: -x, "factorization: bounds in order"),
        ("factorization/status/trace_norm_error", lambda x: x / 2, "factorization: integrals, tra"),
        (
            "factorization/status/trace_norm_error",
            lambda x: x * 2,
            "factorization: trace-norm bound",
        ),
        ("factorization/status/max_abs_error", lambda x: x * 2, "factorization: element bound"),
        ("factorization/status/frobenius_error", lambda x: x / 2, "factorization: Frobenius bound"),
        ("fci_state/energy", lambda x: x + 1e-7, "fci state: energy"),
        ("fci_state/vector", vector_turned, "plan: variances"),
        ("cisd_state/energy", lambda x: x - 1e-7, "cisd state: energy"),
        ("cisd_state/determinant/energy", lambda x: x - 1e-7, "cisd state's determinant: energy"),
        ("determinant_state/energy", lambda x: x - 1e-7, "determinant state: energy"),
        ("plan/shots", one_more, "plan: shots"),
        ("plan/precision", lambda x: x / 2, "plan: standard error"),
        ("plan/constant", lambda x: x + 1e-9, "plan: constant is the factorization's"),
        ("plan/pricing/means", first_higher, "plan: means"),
        ("plan/pricing/variances", first_higher, "plan: variances"),
        ("plan/pricing/floor", lambda x: x + 0.1, "plan: shots"),
        ("plan/groups/frame", lambda x: x[::-1], "plan: groups are the leaves"),
        ("plan/groups/same_spin", lambda x: x + 1e-9, "plan: one-body parts sum to kappa"),
        ("plan/groups/opposite_spin", lambda x: x * (1 + 1e-15), "plan: groups are the leaves"),
        ("estimate/energy", lambda x: x + 1e-9, "estimate: energy"),
        ("estimate/standard_error", lambda x: x * 1.0001, "estimate: standard error"),
        ("estimate/wrong_sector", lambda x: x - 999, "estimate: shots in the wrong sector"),
        ("estimate/wrong_sector", one_more, "estimate: shots from the counts"),
        ("estimate/shots", one_more, "estimate: standard error"),
        ("estimate/selection/discarded", one_more, "estimate: shots left out"),
        ("estimate/selection/shift", lambda x: x * 1.001, "estimate: shift from the counts"),
        ("estimate/selection/shift_error", lambda x: x * 1.001, "estimate: error of the shift"),
        ("measurements/counts", one_more, "estimate: shift from the counts"),
        ("measurements/bits", lambda x: x[:, ::-1], "estimate: means from the counts"),
        ("plan/bias/bound", lambda x: x + 1e-3, "plan: shots"),
        ("plan/bias/dropped", lambda x: x + 1, "plan: leaves dropped"),
        ("plan/pricing/spent", lambda x: x + 10**6, "plan: shots"),
        ("experiments/energies", lambda x: x + 0.03, "experiments: average energy"),
        ("experiments/energies", lambda x: x * np.eye(len(x))[0], "experiments: each energy"),
        ("experiments/standard_errors", lambda x: -x, "experiments: standard errors"),
    ],
)
def test_a_forged_number_fails_its_check(archive, forge, name, change, check):
    forge(archive, **{name: change})
    names = failed(archive)

    assert any(found.startswith(check) for found in names), names
    assert not {"hashes", "content hash"} & names, "the forger made the hashes right"


def test_cheap_shots_that_fit_cheap_variances_are_found(archive, forge):
    """Variances and shots forged together contradict the state; with it, the groups."""
    forge(
        archive,
        **{"plan/pricing/variances": lambda x: x / 4, "plan/shots": lambda x: x // 4 + 1},
    )
    assert "plan: variances" in failed(archive)


def test_a_changed_byte_fails_the_hashes(archive):
    with h5py.File(archive, "r+") as file:
        file["run/command"][()] = b"ran"
    assert {type(check.passed) for check in ql.verify(archive).checks} == {bool}
    assert {"hashes", "content hash"} <= failed(archive)


def test_a_dataset_too_many_or_too_few_is_found(archive):
    with h5py.File(archive, "r+") as file:
        file["hamiltonian/note"] = 1.0
    assert {"hashes", "content hash", "labels"} == failed(archive)
    with h5py.File(archive, "r+") as file:
        del file["hamiltonian/note"], file["experiments/energies"]
    assert {"content hash", "experiments: readable"} == failed(archive)


@pytest.mark.parametrize(("name", "value"), [("units", "electronvolt"), ("axes", "orbital,factor")])
def test_a_changed_label_is_found(archive, name, value):
    with h5py.File(archive, "r+") as file:
        file["hamiltonian/factors"].attrs[name] = value
    (check,) = ql.verify(archive).failed
    assert check.name == "labels"
    assert check.detail.endswith("(not hamiltonian/factors): no")


@pytest.mark.parametrize("name", ["formula", "geometry", "basis", "charge", "input_sha256", "seed"])
def test_changed_provenance_is_found(archive, name):
    with h5py.File(archive, "r+") as file:
        file.attrs[name] = 3 if name in ("charge", "seed") else "other"
    (check,) = ql.verify(archive).failed
    assert check.name == "provenance"
    assert f"(not {name})" in check.detail


def test_records_of_two_molecules_do_not_pass(tmp_path, records):
    other = ql.from_example("h2")
    ql.save(tmp_path / "a.h5", other, records["factorization"], records["plan"])
    names = failed(tmp_path / "a.h5")

    assert "factorization: constants, electrons and source are the hamiltonian's" in names
    assert "factorization: computable" in names


PER_GROUP = ("means", "variances", "believed", "wrong_sector")


def test_an_estimate_of_another_plan_does_not_pass(tmp_path, records):
    estimate = records["estimate"]
    fewer = dataclasses.replace(
        estimate,
        **{name: getattr(estimate, name)[1:] for name in PER_GROUP},
        shots=estimate.shots[1:],
        selection=dataclasses.replace(
            estimate.selection, discarded=estimate.selection.discarded[1:]
        ),
    )
    ql.save(tmp_path / "a.h5", records["plan"], fewer)

    assert failed(tmp_path / "a.h5") == {"estimate: groups"}


def test_a_plan_of_another_sector_does_not_pass(tmp_path, records):
    plan = dataclasses.replace(records["plan"], nelec=(2, 1))
    for method in ("plain", "resplit"):
        other = dataclasses.replace(plan, fragments=FragmentStatus(method, converged=True))
        ql.save(tmp_path / "a.h5", records["factorization"], other, overwrite=True)
        assert failed(tmp_path / "a.h5") == {"plan: electrons are the factorization's"}


def test_sums_in_sectors_too_large_are_said_not_to_be_compared(tmp_path, records, monkeypatch):
    monkeypatch.setattr(check_plan, "LARGEST_SECTOR", 15)
    other = FragmentStatus("resplit", converged=True)
    plan = dataclasses.replace(records["plan"], fragments=other)
    ql.save(tmp_path / "a.h5", records["factorization"], plan)
    (check,) = (c for c in ql.verify(tmp_path / "a.h5").checks if "sum to the" in c.name)

    assert check.detail == "not compared: 1.6e+01 determinants are too many"


def test_a_state_of_another_sector_does_not_pass(tmp_path, records):
    other = ql.fci_state(ql.from_example("h2"))
    ql.save(tmp_path / "a.h5", records["hamiltonian"], records["plan"], other)

    assert {"fci state: sector", "plan: sector of the fci state"} <= failed(tmp_path / "a.h5")


def test_numbers_beyond_computing_fail_rather_than_raise(archive, forge):
    forge(archive, **{"plan/precision": lambda _: 1e-200, "hamiltonian/kappa": lambda x: x * 1e300})
    names = failed(archive)

    assert "plan: computable" in names
    assert "hamiltonian: residual trace" in names


# --- the parts -----------------------------------------------------------------------------------


def test_nan_never_passes():
    assert not within("x", float("nan"), 1.0, "is").passed
    assert within("x", 1.0, 1.0, "is").passed


def test_a_failed_verification_names_what_failed():
    verification = Verification((Check("a", True, "1"), Check("b", False, "2")))

    assert not verification.passed
    assert not verification
    assert repr(verification) == "Verification(FAILED 1 of 2 checks: b)"
    assert verification.summary() == "ok      a: 1\nFAILED  b: 2"


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(0, 5), st.integers(0, 5))
def test_norms_of_differences_are_those_of_the_dense_tensors(seed, norb, first, second):
    """Against the (norb², norb²) matrices, which the checks never form."""
    rng = np.random.default_rng(seed)
    pair = []
    for rank in (first, second):
        factors = rng.standard_normal((rank, norb, norb))
        pair.append(factors + factors.transpose(0, 2, 1))
    dense = [f.reshape(len(f), norb**2).T @ f.reshape(len(f), norb**2) for f in pair]
    difference = dense[0] - dense[1]
    spectrum = np.abs(np.linalg.eigvalsh(difference))
    # backward stable: relative to the factors' weight, with a constant for the sizes
    slack = 100 * (norb**2 + first + second) * np.finfo(float).eps * sum(np.sum(f**2) for f in pair)

    def passes(norms):
        return [check.passed for check in _integral_checks(*pair, lost=norms)]

    norms = (np.abs(np.diagonal(difference)).max(), np.sqrt(np.sum(spectrum**2)), spectrum.sum())
    assert all(passes(tuple(norm + slack for norm in norms)))
    for position, norm in enumerate(norms):
        if norm > 1e-6:
            less = [0.999 * n if i == position else n + slack for i, n in enumerate(norms)]
            assert passes(tuple(less)) == [i != position for i in range(3)]


def test_the_bound_on_experiments_is_bernsteins(rng):
    """Rare large outcomes, where a normal distribution would be wrong by far."""
    probability, shots = 1e-3, np.array([200])
    variances = np.array([probability * (1 - probability)])
    limit = _bernstein(variances, np.array([1.0]), shots, 0.01)
    deviations = np.abs(rng.binomial(200, probability, size=20000) / 200 - probability)

    assert np.mean(deviations > limit) <= 0.01
    # the inequality that defines it holds with equality
    exponent = limit**2 / (2 * variances[0] / 200 + 2 * limit / (3 * 200))
    assert np.isclose(2 * np.exp(-exponent), 0.01)
    assert CHANCE <= 1e-9

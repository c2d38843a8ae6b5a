# SPDX-License-Identifier: Apache-2.0
"""Every factorization by its name at the command line: kept, checked, shown and used again."""

import dataclasses
import json

import numpy as np
import pytest

import qlowrank as ql
from qlowrank import cli
from qlowrank.checks import InputError

METHODS = ("df", "df-eigen", "gauge", "compressed", "thc")
SHIFTS = ((), ("--shift",), ("--no-shift",))


def run(capsys, *arguments):
    """Exit status, standard output, standard error."""
    status = cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def answer(capsys, *arguments):
    """The JSON object of a command that succeeds."""
    status, out, err = run(capsys, *arguments, "--json")
    assert status == 0, err
    return json.loads(out)


@pytest.mark.parametrize("shift", SHIFTS, ids=" ".join)
@pytest.mark.parametrize("method", METHODS)
def test_factorize_keep_verify_show_and_estimate(capsys, tmp_path, method, shift):
    path = tmp_path / "h2.h5"
    made = answer(
        capsys, "factorize", "h2", "--basis", "6-31g", "--method", method, *shift, "-o", path,
        "--quiet",
    )  # fmt: skip
    assert made["factorization"]["method"] == method
    assert ql.verify(path).passed
    shown = answer(capsys, "show", path)
    assert shown["factorization"] == made["factorization"]
    study = ql.load(path)
    record = study.held("factorization", "compressed", "hypercontraction")
    assert record.one_norm() == made["factorization"]["one_norm"]
    assert ("gauge_status" in study) == (method == "gauge")
    again = answer(capsys, "resources", path, "--method", method, *shift, "--quiet")
    assert again["factorization"] == made["factorization"]
    expected = ql.resource_estimate(record)
    assert again["resources"]["toffoli"] == expected.toffoli


@pytest.mark.parametrize("method", METHODS[:-1])
def test_plans_from_whatever_has_leaves(capsys, tmp_path, method):
    """Groups are the leaves and the one-body part; the plan's energy is the state's."""
    path = tmp_path / "h2.h5"
    made = answer(
        capsys, "run", "h2", "--basis", "6-31g", "--method", method, "--state", "fci", "-o", path,
        "--quiet",
    )  # fmt: skip
    assert made["measurement"]["n_groups"] == made["factorization"]["n_leaves"] + 1
    check = ql.verify(path)
    assert check.passed, check.failed
    assert {c.name for c in check.checks} >= {"plan: groups are the leaves", "plan: energy"}
    study = ql.load(path)
    record = study.held("factorization", "compressed")
    energy = study.plan.predicted_energy
    # electrons times the trace norm of what a fit left out
    assert energy == pytest.approx(
        study.state.energy, abs=2 * record.status.trace_norm_error + 1e-10
    )


def test_a_gauge_is_shifted_unless_told_otherwise(capsys):
    free, shifted, plain = (
        answer(capsys, "factorize", "lih", "--method", method, *shift, "--quiet")["factorization"]
        for method, shift in (("gauge", ()), ("gauge", ("--shift",)), ("gauge", ("--no-shift",)))
    )
    assert free == shifted
    assert shifted["one_norm"] < plain["one_norm"]


@pytest.mark.parametrize("method", ["compressed", "thc"])
def test_a_shifted_fit_is_not_taken_for_a_plain_one(capsys, tmp_path, method):
    path = tmp_path / "h2.h5"
    made = {}
    for shift in ("--shift", "--no-shift"):
        made[shift] = answer(
            capsys, "factorize", "lih", "--method", method, shift, "-o", path, "--overwrite",
            "--quiet",
        )  # fmt: skip
        again = answer(capsys, "factorize", path, "--method", method, shift, "--quiet")
        assert again["factorization"] == made[shift]["factorization"]
        other = "--no-shift" if shift == "--shift" else "--shift"
        changed = answer(capsys, "factorize", path, "--method", method, other, "--quiet")
        assert changed["factorization"]["one_norm"] != made[shift]["factorization"]["one_norm"]
    norms = [made[s]["factorization"]["one_norm"] for s in ("--shift", "--no-shift")]
    assert norms[0] < norms[1]


def test_leaves_of_a_fit(capsys):
    fit = answer(
        capsys, "factorize", "h2", "--basis", "6-31g", "--method", "compressed", "--leaves", "3",
        "--quiet",
    )  # fmt: skip
    assert fit["factorization"]["n_leaves"] == 3
    status, out, _ = run(
        capsys, "factorize", "h2", "--basis", "6-31g", "--method", "thc", "--leaves", "6", "--quiet"
    )
    assert status == 0
    assert "6 points (hypercontraction)" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "h2", "--method", "thc"), "no groups to measure"),
        (("factorize", "h2", "--leaves", "2"), "--leaves goes with --method compressed or thc"),
        (("factorize", "h2", "--method", "compressed", "--leaves", "0"), "from 1 to 3"),
        (("factorize", "h2", "--method", "thc", "--leaves", "4"), "n_points must be from 1 to 3"),
        (("run", "h2", "--method", "compressed", "--fragments", "fluid"), "--fragments plain"),
    ],
)
def test_what_does_not_go_together(capsys, arguments, words):
    status, out, err = run(capsys, *arguments, "--quiet")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_plans_refuse_records_without_the_leaves_they_need():
    hamiltonian = ql.from_example("h2")
    state = ql.fci_state(hamiltonian)
    fit = ql.compress(ql.double_factorize(hamiltonian), n_leaves=2)
    with pytest.raises(InputError, match="full cores in its leaves"):
        ql.plan_measurement(fit, state, fragments=ql.MeanFieldFragments())
    with pytest.raises(InputError, match=r"A plan measures leaves.* got Hypercontraction"):
        ql.plan_measurement(ql.hypercontract(hamiltonian, n_points=3), state)


@pytest.mark.parametrize("method", ["compressed", "thc"])
@pytest.mark.parametrize("field", ["cores", "points", "core", "leaves", "frobenius_error"])
def test_a_changed_fit_is_found(capsys, tmp_path, method, field):
    """Any number of a fit moved: it is no longer as good as it says."""
    path = tmp_path / "a.h5"
    assert run(capsys, "factorize", "lih", "--method", method, "-o", path, "--quiet")[0] == 0
    study = ql.load(path)
    record = study.held("compressed", "hypercontraction")
    if field == "frobenius_error":
        status = dataclasses.replace(record.status, frobenius_error=0.0)
        changed = dataclasses.replace(record, status=status)
    elif not hasattr(record, field):
        return
    else:
        data = np.array(getattr(record, field))
        if field == "leaves":
            data[0][:, [0, 1]] = data[0][:, [1, 0]]
        elif field == "points":
            data[:, 0] = data[:, 1]
        else:
            data[..., 0, 0] += 1e-2
        changed = dataclasses.replace(record, **{field: data})
    ql.save(tmp_path / "b.h5", study.hamiltonian, changed)
    failed = {check.name for check in ql.verify(tmp_path / "b.h5").failed}
    kind = {"compressed": "compressed", "thc": "hypercontraction"}[method]
    assert failed >= {f"{kind}: integrals, Frobenius norm"}

# SPDX-License-Identifier: Apache-2.0
"""The command line: the main job, its JSON contract, and every bad input."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

import qlowrank as ql
from qlowrank import cli

WATER = """3
water, Angstrom
O 0.0 0.0 0.0
H 0.0 0.8069603 0.5905961
H 0.0 -0.8069603 0.5905961
"""

SHAPE = {
    "schema": int,
    "molecule": {"name": str, "formula": str, "norb": int, "nelec": [int, int]},
    "hamiltonian": {
        "rank": int,
        "tolerance": float,
        "residual_trace": float,
        "max_abs_error_bound": float,
    },
    "energy": {
        "hf": float,
        "lower": float,
        "upper": float,
        "estimate": float,
        "reference": None,
        "reference_method": None,
    },
    "factorization": {"method": str, "n_leaves": int, "one_norm": float, "frobenius_error": float},
    "measurement": {
        "state": str,
        "n_groups": int,
        "epsilon2_shots": float,
        "precision": float,
        "total_shots": int,
        "max_two_qubit_depth": int,
    },
    "entanglement": None,
    "resources": None,
    "timing": {
        "scf": float,
        "integrals": float,
        "factorize": float,
        "measure": float,
        "mps": None,
        "total": float,
    },
    "peak_memory_bytes": int,
    "archive": str,
}


def assert_shape(value, shape, path="$"):
    """The value has exactly these keys and types, all the way down."""
    if isinstance(shape, dict):
        assert set(value) == set(shape), path
        for key, part in shape.items():
            assert_shape(value[key], part, f"{path}.{key}")
    elif isinstance(shape, list):
        assert len(value) == len(shape), path
        for item, part in zip(value, shape, strict=True):
            assert_shape(item, part, path)
    elif shape is None:
        assert value is None, path
    else:
        assert type(value) is shape, path


@pytest.fixture
def water(tmp_path, monkeypatch):
    """A folder with water.xyz in it, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "water.xyz").write_text(WATER)
    return tmp_path


def run(capsys, *arguments):
    """Exit status, standard output, standard error."""
    status = cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys, *arguments, status=2):
    """The one line that a bad input gets."""
    code, out, err = run(capsys, *arguments)
    assert code == status, err
    assert out == ""
    assert err.startswith("qlowrank: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert "unexpected" not in err
    return err


def test_main_job_prints_the_contract(water, capsys):
    status, out, _ = run(
        capsys, "run", "water.xyz", "--basis", "sto-3g", "--state", "fci", "-o", "w.h5", "--json",
        "--quiet",
    )  # fmt: skip

    assert status == 0
    answer = json.loads(out)
    assert_shape(answer, SHAPE)
    assert answer["molecule"]["name"] == "water"
    assert answer["molecule"]["formula"] == "H2O"
    assert answer["energy"]["lower"] <= answer["energy"]["upper"]
    study = ql.load(water / "w.h5")
    assert study.plan.total_shots == answer["measurement"]["total_shots"]
    assert study.hamiltonian.rank == answer["hamiltonian"]["rank"]
    assert json.loads(study.run.parameters)["basis"] == "sto-3g"


def exact_energy(method):
    """Energy of water.xyz with the exact integrals, by PySCF."""
    from pyscf import ci, fci, gto, scf

    mean_field = scf.RHF(gto.M(atom="water.xyz", basis="sto-3g", verbose=0)).run(conv_tol=1e-12)
    if method == "hf":
        return mean_field.e_tot
    solver = ci.CISD(mean_field) if method == "cisd" else fci.FCI(mean_field)
    solver.conv_tol = 1e-11
    return solver.run().e_tot


@pytest.mark.parametrize("state", ["hf", "cisd", "fci", "mps"])
def test_energies_enclose_the_exact_one(water, capsys, state):
    """A coarse cut lowers the energy by millihartrees; the interval says by how much at most."""
    arguments = ("water.xyz", "--basis", "sto-3g", "--state", state, "--tolerance", "3e-3")
    status, out, err = run(capsys, "run", *arguments, "-o", "a.h5", "--json", "--quiet")
    assert status == 0, err
    energy, exact = json.loads(out)["energy"], exact_energy(state)

    assert energy["lower"] < exact - 1e-4 < exact < energy["upper"]
    assert energy["lower"] < energy["estimate"] < energy["upper"]
    assert abs(energy["estimate"] - exact) < exact - energy["lower"]
    solved = ql.load("a.h5").state.energy
    assert energy["lower"] == pytest.approx(solved, abs=1e-8)
    assert energy["lower"] < solved
    status, out, _ = run(capsys, "show", "a.h5")
    assert "Hartree holds" in out


def test_fitted_integrals_say_so(water, capsys):
    """Fast and off by millihartrees, of which the interval knows; the error is measured too."""
    arguments = ("run", "water.xyz", "--basis", "sto-3g", "--auxiliary", "cc-pvdz-jkfit")
    status, out, err = run(capsys, *arguments, "--state", "fci", "-o", "a.h5", "--json")
    assert status == 0, err
    answer = json.loads(out)
    assert answer["energy"]["lower"] < exact_energy("fci") < answer["energy"]["upper"]
    bound = answer["hamiltonian"]["max_abs_error_bound"]
    measured = float(err.split("of the integrals is ")[1].split()[0])
    assert 0.0 < measured <= bound * 1.05  # two digits are printed
    _, out, _ = run(capsys, "show", "a.h5")
    assert f"{answer['hamiltonian']['rank']} vectors, fitted (RI); every" in out
    status, fewer, _ = run(capsys, *arguments, "--tolerance", "1e-2", "--json", "--quiet")
    assert status == 0
    assert json.loads(fewer)["hamiltonian"]["rank"] < answer["hamiltonian"]["rank"]


@pytest.mark.parametrize("digits", [16, 9])
@pytest.mark.parametrize("tolerance", ["1e-2", "1e-4", "1e-6"])
def test_energies_enclose_those_of_a_file(water, capsys, digits, tolerance):
    """The exact integrals are those that the file holds."""
    from pyscf import fci, tools

    arguments = ("--basis", "sto-3g", "--tolerance", "0", "-o", "whole.fcidump")
    assert run(capsys, "convert", "water.xyz", *arguments, "--quiet")[0] == 0
    whole = tools.fcidump.read("whole.fcidump", verbose=False)
    tools.fcidump.from_integrals(
        "some.fcidump", whole["H1"], whole["H2"], 7, 10, nuc=whole["ECORE"],
        float_format=f" %.{digits}f", tol=0.5 * 10.0**-digits,
    )  # fmt: skip
    held = tools.fcidump.read("some.fcidump", verbose=False)
    exact, _ = fci.direct_spin1.kernel(
        held["H1"], held["H2"], 7, (5, 5), ecore=held["ECORE"], conv_tol=1e-11
    )
    arguments = ("--state", "fci", "--tolerance", tolerance, "--json", "--quiet")
    status, out, err = run(capsys, "run", "some.fcidump", *arguments)
    assert status == 0, err
    energy = json.loads(out)["energy"]
    assert energy["lower"] <= exact <= energy["upper"]


def test_json_of_show_is_that_of_run(water, capsys):
    arguments = ("run", "water.xyz", "--basis", "sto-3g", "--state", "hf", "-o", "w.h5", "--json")
    _, made, _ = run(capsys, *arguments, "--quiet")
    status, shown, _ = run(capsys, "show", "w.h5", "--json")

    assert status == 0
    made, shown = json.loads(made), json.loads(shown)
    for part in ("schema", "molecule", "hamiltonian", "energy", "factorization", "measurement"):
        assert made[part] == shown[part], part
    assert set(shown["timing"].values()) == {None}


def test_same_input_same_bytes(water, capsys):
    for name in ("a.h5", "b.h5"):
        status, _, err = run(
            capsys, "run", "water.xyz", "--basis", "sto-3g", "--state", "hf", "-o", name, "--quiet"
        )
        assert status == 0, err

    assert (water / "a.h5").read_bytes() == (water / "b.h5").read_bytes()


def test_summary_says_what_matters(water, capsys):
    status, out, err = run(capsys, "run", "h2", "--state", "fci", "-o", "h2.h5")

    assert status == 0
    for words in ("2 orbitals", "-1.066", "leaves", "groups", "shots", "h2.h5"):
        assert words in out
    assert "Traceback" not in err


def test_measure_from_an_archive_keeps_its_hamiltonian(water, capsys):
    run(capsys, "factorize", "h2", "-o", "h2.h5", "--quiet")
    status, out, _ = run(
        capsys, "measure", "h2.h5", "--state", "fci", "--precision", "1e-3", "-o", "plan.h5",
        "--json", "--quiet",
    )  # fmt: skip

    assert status == 0
    assert json.loads(out)["measurement"]["precision"] == 1e-3
    first, second = ql.load("h2.h5"), ql.load("plan.h5")
    np.testing.assert_array_equal(first.hamiltonian.factors, second.hamiltonian.factors)
    with pytest.raises(ql.InputError, match="plan"):
        first.plan  # noqa: B018 (the access is the test)


def test_fragments_by_name_cost_less_and_less(water, capsys):
    """Each way to choose groups beats the one before it, and its archive verifies."""
    costs = []
    for name in ("plain", "mean-field", "fluid", "resplit", "optimized"):
        arguments = ("--fragments", name, "-o", f"{name}.h5", "--seed", "3", "--json", "--quiet")
        status, out, err = run(capsys, "run", "lih", "--state", "fci", *arguments)
        assert status == 0, err
        costs.append(json.loads(out)["measurement"]["epsilon2_shots"])
        status, _, err = run(capsys, "verify", f"{name}.h5")
        assert status == 0, err
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.02


@pytest.mark.parametrize(
    ("method", "kind"),
    [("gauge", "gauge_status"), ("compressed", "compressed"), ("thc", "hypercontraction")],
)
def test_seed_of_fits_and_gauges(water, capsys, method, kind):
    """It is recorded, gives the same numbers again, and another one is made anew."""

    def made(source, *arguments):
        name = f"{len(list(Path().glob('*.h5')))}.h5"
        choice = ("--method", method, "--quiet", "-o", name, *arguments)
        status, _, err = run(capsys, "factorize", source, *choice)
        assert status == 0, err
        assert run(capsys, "verify", name)[0] == 0
        study = ql.load(name)
        record = study.held(kind)
        return name, study.run.seed, getattr(record, "optimizer", record)

    name, noted, status = made("h2", "--seed", "5")
    assert (noted, status.seed) == (5, 5)
    np.testing.assert_array_equal(made("h2", "--seed", "5")[2].history, status.history)
    assert made(name)[2].seed == 5
    assert made(name, "--seed", "6")[2].seed == 6
    status, _, err = run(capsys, "factorize", "h2", "--seed", "-1", "--quiet")
    assert status == 2
    assert "--seed must be at least 0; got -1" in err


def test_factors_are_mixed_for_cisd_only(water, capsys):
    arguments = ("--fragments", "mixed", "-o", "mixed.h5", "--json", "--quiet")
    status, out, err = run(capsys, "run", "h2", *arguments)
    assert status == 0, err
    assert json.loads(out)["measurement"]["n_groups"] == 4
    assert run(capsys, "verify", "mixed.h5")[0] == 0
    status, _, err = run(capsys, "run", "h2", "--fragments", "mixed", "--state", "fci", "--quiet")
    assert status == 2
    assert "Factors are mixed for a CISD state; got the state fci" in err


def test_factorize_leaves_measurement_null(water, capsys):
    status, out, _ = run(capsys, "factorize", "h2", "--method", "df-eigen", "--json", "--quiet")

    assert status == 0
    answer = json.loads(out)
    assert answer["measurement"] is None
    assert answer["factorization"]["method"] == "df-eigen"
    assert answer["archive"] is None


def test_convert_and_read_back(water, capsys):
    status, out, _ = run(capsys, "convert", "lih", "-o", "lih.fcidump", "--tolerance", "0")
    assert status == 0
    assert "lih.fcidump" in out

    _, first, _ = run(capsys, "run", "lih", "--state", "fci", "--tolerance", "0", "--json")
    _, second, _ = run(capsys, "run", "lih.fcidump", "--state", "fci", "--tolerance", "0", "--json")
    first, second = json.loads(first), json.loads(second)
    assert first["energy"]["lower"] == pytest.approx(second["energy"]["lower"], abs=1e-9)
    assert first["measurement"]["epsilon2_shots"] == pytest.approx(
        second["measurement"]["epsilon2_shots"], rel=1e-6
    )


@pytest.mark.parametrize("tolerance", ["1e-2", "1e-4", "1e-6"])
@pytest.mark.parametrize("state", ["fci", "mps"])
def test_energies_enclose_full_ci(water, capsys, tolerance, state):
    """The interval of a rough Hamiltonian holds the exact energy; the estimate is close to it."""
    arguments = ("run", "water", "--active", "4,4", "--state", state, "--json", "--quiet")
    _, out, _ = run(capsys, *arguments, "--tolerance", "0")
    exact = json.loads(out)["energy"]["estimate"]
    _, out, _ = run(capsys, *arguments, "--tolerance", tolerance)
    found = json.loads(out)["energy"]

    assert found["lower"] <= exact <= found["upper"]
    assert found["lower"] <= found["estimate"] <= found["upper"]
    assert found["upper"] - found["lower"] <= 4 * 16 * float(tolerance) + 1e-8  # η Σ_pq R_pqpq


def interrupted(report, passed):
    """A method that reports so many times, and is interrupted the next time."""
    left = iter(range(passed))

    def stop(self, *what):
        if next(left, None) is None:
            raise KeyboardInterrupt
        report(self, *what)

    return stop


def test_an_interrupted_job_goes_on(water, capsys, monkeypatch):
    """Stopped twice, it ends with the same bytes as one that was never stopped."""
    from qlowrank.integrals.direct import budget, read
    from qlowrank.job import molecule

    monkeypatch.setattr(read, "DIRECT_FROM", 10)
    monkeypatch.setattr(budget, "MOST", 10)
    job = ("factorize", "water.xyz", "--basis", "6-31g", "--quiet")
    assert run(capsys, *job, "-o", "whole.h5")[0] == 0
    tell = budget.Means.tell
    for passed in (0, 1):
        monkeypatch.setattr(budget.Means, "tell", interrupted(tell, passed))
        status, _, err = run(capsys, *job, "-o", "parts.h5", "--checkpoint", "work")
        assert status == 130, err
        assert not (water / "parts.h5").exists()
        assert (water / "work" / "mean-field.npz").exists()
    monkeypatch.setattr(budget.Means, "tell", tell)
    monkeypatch.setattr(molecule, "converge", None)  # the mean field need not converge again
    refused(capsys, "factorize", "water.xyz", "--basis", "sto-3g", "--checkpoint", "work")
    assert "another --tolerance" in refused(
        capsys, *job, "--checkpoint", "work", "--tolerance", "1e-4"
    )

    assert run(capsys, *job, "-o", "parts.h5", "--checkpoint", "work")[0] == 0
    assert (water / "parts.h5").read_bytes() == (water / "whole.h5").read_bytes()
    assert not (water / "work").exists()


def test_a_folder_of_something_else_is_not_touched(water, capsys):
    assert "name a new folder" in refused(
        capsys, "factorize", "water.xyz", "--basis", "sto-3g", "--checkpoint", "."
    )
    assert sorted(p.name for p in water.iterdir()) == ["water.xyz"]
    assert "leave out --checkpoint" in refused(capsys, "run", "femoco", "--checkpoint", "work")


def test_resources_of_shifted_leaves_are_fewer(water, capsys):
    """A shift lowers the one-norm, and with it the steps of phase estimation."""
    costs = []
    for shift in ("--no-shift", "--shift"):
        arguments = ("--tolerance", "1e-4", shift, "--json", "--quiet")
        status, out, err = run(capsys, "resources", "water", *arguments)
        assert status == 0, err
        answer = json.loads(out)
        assert set(answer["resources"]) == {
            "one_norm",
            "toffoli_per_step",
            "toffoli",
            "logical_qubits",
        }
        assert answer["resources"]["one_norm"] == answer["factorization"]["one_norm"]
        assert answer["measurement"] is None
        costs.append(answer["resources"])
    assert costs[1]["one_norm"] < costs[0]["one_norm"]
    assert costs[1]["toffoli"] < costs[0]["toffoli"]


def test_entangle_shows_the_chain(water, capsys):
    status, out, err = run(capsys, "entangle", "h2", "-o", "h2.h5", "--json", "--quiet")

    assert status == 0, err
    answer = json.loads(out)["entanglement"]
    assert sorted(answer["orbital_order"]) == [0, 1]
    assert answer["bond_dimensions"] == [2]
    assert answer["max_bond_dimension"] == 2
    vector = ql.fci_state(ql.from_example("h2")).vector
    weights = np.array([vector[0, 0] ** 2, vector[1, 1] ** 2])
    assert answer["max_bond_entropy"] == pytest.approx(-np.sum(weights * np.log(weights)))
    assert ql.load("h2.h5").state.label == "mps"
    status, out, _ = run(capsys, "entangle", "h2", "--max-bond", "1", "--json", "--quiet")
    assert json.loads(out)["entanglement"]["discarded_weight"] == pytest.approx(weights.min())
    assert json.loads(out)["entanglement"]["max_bond_entropy"] == 0.0
    status, out, _ = run(capsys, "entangle", "h2", "--quiet")
    assert "entropies" in out
    assert "CAS(2, 2) of orbitals 0, 1" in out


def test_an_archive_keeps_the_entanglement(water, capsys):
    """What `entangle` prints, `show` prints too; `verify` finds a changed entropy."""
    status, out, err = run(capsys, "entangle", "lih", "-o", "a.h5", "--json", "--quiet")
    assert status == 0, err
    status, shown, err = run(capsys, "show", "a.h5", "--json")
    assert status == 0, err
    found, again = json.loads(out), json.loads(shown)
    assert again["entanglement"] == found["entanglement"]
    assert again["energy"] == found["energy"]
    assert found["energy"]["lower"] == pytest.approx(-7.78446028, abs=1e-7)
    study = ql.load("a.h5")
    assert study.entanglement.bond_entropies == pytest.approx(
        found["entanglement"]["bond_entropies"], abs=0
    )
    assert run(capsys, "verify", "a.h5")[0] == 0
    single = study.entanglement.orbital_entropies.copy()
    single[0] += 1e-6
    forged = replace(study.entanglement, orbital_entropies=single)
    ql.save("b.h5", study.hamiltonian, study.state, forged)
    status, _, err = run(capsys, "verify", "b.h5")
    assert (status, "entanglement: recomputed" in err) == (2, True)


def test_the_mps_that_prices_a_plan_can_be_chosen(water, capsys):
    """Fewer states a bond give another chain, and what an archive holds is not taken instead."""
    wide = "run", "lih", "--state", "mps", "-o", "a.h5", "--json", "--quiet"
    narrow = "measure", "a.h5", "--state", "mps", "--max-bond", "4", "--json", "--quiet"
    bonds = []
    for command in (wide, narrow):
        status, out, err = run(capsys, *command)
        assert status == 0, err
        bonds.append(max(json.loads(out)["entanglement"]["bond_dimensions"]))
    assert bonds[0] > bonds[1] == 4
    status, _, err = run(capsys, "run", "lih", "--max-bond", "4")
    assert (status, "--max-bond is of an MPS; add --state mps" in err) == (2, True)


def test_the_sites_of_an_mps_can_be_chosen(water, capsys):
    found = {}
    for name in ("given", "molecule", "local", "information"):
        status, out, err = run(capsys, "entangle", "lih", "--orbitals", name, "--json", "--quiet")
        assert status == 0, err
        found[name] = json.loads(out)["entanglement"]
    assert found["given"]["orbital_order"] == list(range(6))
    assert sorted(found["molecule"]["orbital_order"]) == list(range(6))
    assert found["local"]["orbital_order"] is None
    assert found["local"]["bond_entropies"] != found["molecule"]["bond_entropies"]


def test_an_unfinished_mps_is_kept_and_told(water, capsys, monkeypatch):
    """Sweeps that run out, or an interrupt, as `Block2DMRG` reports them."""
    from qlowrank.job import entangling

    def unfinished(*arguments, **options):
        state = ql.ground_state_mps(*arguments, **options)
        convergence = ql.states.Convergence(
            bond_dimensions=np.array([1, 2]),
            energies=np.array([-1.05, -1.10]),
            discarded_weights=np.array([1e-3, 1e-4]),
            sweeps=np.array([3, 2]),
            status="interrupted",
        )
        return replace(state, convergence=convergence)

    monkeypatch.setattr(entangling, "ground_state_mps", unfinished)
    status, out, err = run(capsys, "entangle", "h2", "-o", "a.h5", "--quiet")
    assert status == 1
    assert "DMRG interrupted at bond dimension 2" in err
    assert "stopped:" in out
    assert "by bond         1: -1.050000; 2: -1.100000" in out
    # E = -1.1 - 0.05 / 9, a ninth of the fall further; by √10 more in the root of the weight
    assert "extrapolated    -1.105556 ± 0.017568 Hartree" in out
    assert run(capsys, "report", "a.h5")[0] == 0
    assert Path("a.html").read_text(encoding="utf-8").count("<svg") == 4
    assert ql.load("a.h5")["mps_state"].convergence.status == "interrupted"


def test_an_mps_prices_a_plan_as_full_ci_does(water, capsys):
    costs = []
    for state in ("fci", "mps"):
        status, out, err = run(capsys, "run", "lih", "--state", state, "--json", "--quiet")
        assert status == 0, err
        answer = json.loads(out)
        costs.append(answer["measurement"]["epsilon2_shots"])
    assert costs[0] == pytest.approx(costs[1], rel=1e-5)
    assert len(answer["entanglement"]["bond_entropies"]) == 5
    assert answer["entanglement"]["orbital_order"] is None  # localised: mixtures
    assert answer["timing"]["mps"] > 0


def test_shifted_leaves_price_and_archive(water, capsys):
    """The energies of the sector stay, and the archive verifies."""
    status, _, err = run(
        capsys, "run", "lih", "--shift", "--state", "fci", "-o", "s.h5", "--json", "--quiet"
    )
    assert status == 0, err
    study = ql.load("s.h5")
    assert study.plan.predicted_energy == pytest.approx(study.state.energy, abs=1e-9)
    status, _, err = run(capsys, "verify", "s.h5")
    assert status == 0, err


def test_verify_passes_and_fails(water, capsys):
    run(capsys, "run", "h2", "--state", "fci", "-o", "h2.h5", "--quiet")
    status, out, _ = run(capsys, "verify", "h2.h5")
    assert status == 0
    assert "ok" in out

    with h5py.File("h2.h5", "r+") as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if name.endswith("shots") else None)
        file[names[0]][...] += 1
    status, out, err = run(capsys, "verify", "h2.h5")
    assert status == 2
    assert "FAILED" in out
    assert err.startswith("qlowrank: h2.h5")
    status, out, _ = run(capsys, "verify", "h2.h5", "--json")
    assert status == 2
    assert json.loads(out)["passed"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "water.xyz"], "--basis"),
        (["run", "water.xyz", "--basis", "no-such-basis"], "no-such-basis"),
        (["run", "water.xyz", "--basis", "sto-3g", "--charge", "1", "--spin", "0"], "spin"),
        (["run", "water.xyz", "--basis", "sto-3g", "--spin", "-2"], "spin"),
        (["run", "water.xyz", "--basis", "sto-3g", "--charge", "99"], "charge"),
        (["run", "water.xyz", "--basis", "sto-3g", "--spin", "1"], "spin"),
        (["run", "water.xyz", "--basis", "sto-3g", "--active", "40,4"], "larger than the molecule"),
        (["run", "water.xyz", "--basis", "sto-3g", "--active", "4,40"], "larger than the molecule"),
        (["run", "water.xyz", "--basis", "sto-3g", "--active", "3,4"], "pair"),
        (["run", "water.xyz", "--basis", "sto-3g", "--active", "4"], "electrons,orbitals"),
        (["run", "water.xyz", "--basis", "sto-3g", "--tolerance", "-1"], "tolerance"),
        (["run", "water.xyz", "--basis", "sto-3g", "--tolerance", "nan"], "tolerance"),
        (["run", "water.xyz", "--basis", "sto-3g", "--tolerance", "1e-30"], "double precision"),
        (["run", "water.xyz", "--basis", "sto-3g", "--precision", "0"], "precision"),
        (["run", "water.xyz", "--basis", "sto-3g", "--precision", "nan"], "precision"),
        (["run", "water.xyz", "--basis", "sto-3g", "--precision", "1e-30"], "shots"),
        (["run", "water.xyz", "--basis", "cc-pvdz", "--max-memory", "1KB"], "memory"),
        (["run", "water.xyz", "--basis", "sto-3g", "--max-memory", "lots"], "16GB"),
        (["run", "water.xyz", "--basis", "sto-3g", "--method", "thc"], "--method thc"),
        (["run", "water.xyz", "--basis", "sto-3g", "--method", "none"], "invalid choice"),
        (["run", "water.xyz", "--basis", "sto-3g", "--fragments", "best"], "invalid choice"),
        (["run", "h2", "--fragments", "fluid", "--state", "hf"], "correlated"),
        (["run", "water.xyz", "--basis", "sto-3g", "-o", "nowhere/w.h5"], "does not exist"),
        (["run", "water.xyz", "--basis", "sto-3g", "-o", "."], "folder"),
        (["run", "no-such-file"], "neither a file nor an example"),
        (["run", "femoco", "--basis", "sto-3g"], "leave out --basis"),
        (["run", "femoco", "--auxiliary", "cc-pvdz-ri"], "leave out --auxiliary"),
        (["run", "h2", "--auxiliary", "no-such-basis"], "no auxiliary basis 'no-such-basis'"),
        (
            ["run", "h2", "--auxiliary", "def2-svp-ri", "--checkpoint", "x"],
            "leave out --checkpoint",
        ),
        (["entangle", "h2", "--max-bond", "0"], "max_bond"),
        (["resources", "h2", "--precision", "0"], "precision"),
        (["report", "no-such.h5"], "no-such.h5"),
        (["report", "water.xyz"], "water.xyz"),
        (["report", "no-such.h5", "-o", "nowhere/page.html"], "does not exist"),
        (["show", "no-such.h5"], "no-such.h5"),
        (["verify", "water.xyz"], "water.xyz"),
        (["nonsense"], "invalid choice"),
        ([], "COMMAND"),
    ],
)
def test_bad_input_gets_one_line(water, capsys, arguments, words):
    assert words in refused(capsys, *arguments)
    assert sorted(p.name for p in water.iterdir()) == ["water.xyz"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("three\n\nO 0 0 0\n", "number of atoms"),
        ("1\n\nXq 0 0 0\n", "Xq"),
        ("1\n\nO 0 0\n", "line 3"),
        ("1\n\nO 0 0 nan\n", "line 3"),
        ("2\n\nO 0 0 0\n", "announces 2 atoms"),
    ],
)
def test_bad_geometry(water, capsys, content, words):
    (water / "bad.xyz").write_text(content)
    assert words in refused(capsys, "run", "bad.xyz", "--basis", "sto-3g")


@pytest.mark.parametrize("name", ["bad.fcidump", "bad.h5", "bad.xyz"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\x13" * 100])
def test_empty_and_binary_files(water, capsys, name, content):
    (water / name).write_bytes(content)
    assert name in refused(capsys, "run", name)


def test_existing_output_is_kept(water, capsys):
    (water / "w.h5").write_text("precious")
    message = refused(capsys, "run", "water.xyz", "--basis", "sto-3g", "-o", "w.h5")

    assert "--overwrite" in message
    assert (water / "w.h5").read_text() == "precious"
    status, _, _ = run(
        capsys, "run", "water.xyz", "--basis", "sto-3g", "--state", "hf", "-o", "w.h5",
        "--overwrite", "--quiet",
    )  # fmt: skip
    assert status == 0
    assert ql.load("w.h5").hamiltonian.norb == 7


def test_unwritable_folder(water, capsys, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    assert "not writable" in refused(capsys, "run", "h2", "-o", "h2.h5")


def test_archive_of_a_newer_schema(water, capsys):
    run(capsys, "factorize", "h2", "-o", "h2.h5", "--quiet")
    with h5py.File("h2.h5", "r+") as file:
        file.attrs["schema_version"] = 999
    for command in ("show", "verify", "run"):
        assert "999" in refused(capsys, command, "h2.h5")


def test_corrupted_archive(water, capsys):
    run(capsys, "run", "water", "--state", "hf", "-o", "w.h5", "--quiet")
    content = bytearray((water / "w.h5").read_bytes())
    (water / "cut.h5").write_bytes(content[: len(content) // 2])
    for command in ("show", "verify", "run"):
        assert "cut.h5" in refused(capsys, command, "cut.h5")


def test_options_of_a_geometry_are_refused_elsewhere(water, capsys):
    run(capsys, "convert", "h2", "-o", "h2.fcidump", "--quiet")
    run(capsys, "factorize", "h2", "-o", "h2.h5", "--quiet")
    assert "leave out --basis" in refused(capsys, "run", "h2.fcidump", "--basis", "sto-3g")
    assert "leave out --tolerance" in refused(capsys, "run", "h2.h5", "--tolerance", "1e-3")


def test_scf_that_does_not_converge_fails_with_status_one(water, capsys, monkeypatch):
    from pyscf import scf

    monkeypatch.setattr(scf.hf.SCF, "max_cycle", 1)
    message = refused(capsys, "run", "water.xyz", "--basis", "sto-3g", status=1)
    assert "did not converge" in message


def test_state_that_does_not_converge_keeps_what_was_computed(water, capsys, monkeypatch):
    from qlowrank import job

    def unconverged(_):
        raise ql.NotConvergedError("CISD did not converge in 1 cycle.")

    monkeypatch.setitem(job.STATES, "cisd", unconverged)
    status, out, err = run(capsys, "run", "h2", "-o", "h2.h5", "--json", "--quiet")

    assert status == 1
    assert "CISD did not converge" in err
    answer = json.loads(out)
    assert answer["measurement"] is None
    assert answer["factorization"]["n_leaves"] == 3
    assert ql.load("h2.h5").factorization.n_leaves == 3


def test_unexpected_errors_have_no_traceback(water, capsys, monkeypatch):
    from qlowrank import job

    def broken(_):
        raise RuntimeError("boom")

    monkeypatch.setitem(job.STATES, "cisd", broken)
    status, _, err = run(capsys, "run", "h2", "--quiet")
    assert status == 1
    assert "unexpected RuntimeError: boom" in err
    monkeypatch.setenv("QLOWRANK_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="boom"):
        cli.main(["run", "h2", "--quiet"])


def test_interrupt(water, capsys, monkeypatch):
    from qlowrank import job

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setitem(job.STATES, "cisd", interrupted)
    status, _, err = run(capsys, "run", "h2", "-o", "h2.h5", "--quiet")
    assert status == 130
    assert "interrupted" in err
    assert not (water / "h2.h5").exists()


def test_as_a_program(water):
    """Installed entry point: one JSON object on standard output, nothing else."""
    program = [sys.executable, "-m", "qlowrank.cli"]
    done = subprocess.run(
        [*program, "run", "h2", "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["molecule"]["formula"] == "H2"

    failed = subprocess.run([*program, "run", "nope"], capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert failed.stdout == ""
    assert failed.stderr.count("\n") == 1

# SPDX-License-Identifier: Apache-2.0
"""PySCF objects that cannot be read, each with the way out."""

import numpy as np
import pytest

from qlowrank.checks import InputError
from qlowrank.hamiltonian import from_pyscf
from qlowrank.integrals import mean_field as module
from qlowrank.integrals.mean_field import read_pyscf
from tests.molecules import converged, mean_field, molecule


def scf_kinds():
    from pyscf import scf, sgx
    from pyscf.pbc import gto as periodic
    from pyscf.pbc import scf as periodic_scf
    from pyscf.x2c import x2c

    cell = periodic.M(a=6 * np.eye(3), atom="He 0 0 0", basis="sto-3g", verbose=0)
    water = molecule("water")
    return {
        "UHF": scf.UHF(water),
        "GHF": scf.GHF(water),
        "DHF": scf.DHF(water),
        "X2C": x2c.UHF(water).run(),
        "RKS": scf.RKS(water),
        "ROKS": scf.ROKS(molecule("o2")),
        "UKS": scf.UKS(water),
        "PBC": periodic_scf.RHF(cell),
        "DF": scf.RHF(water).density_fit(),
        "SGX": sgx.sgx_fit(scf.RHF(water)),
    }


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("UHF", r"Unrestricted orbitals \(UHF\).*scf\.ROHF, or mf\.to_rhf\(\)\.run\(\)"),
        ("GHF", r"spinors \(GHF\) are not supported; use scf\.RHF or ROHF"),
        ("DHF", r"spinors \(R?DHF\) are not supported; use scf\.RHF or ROHF"),
        ("X2C", r"not supported; use"),
        ("RKS", r"Kohn-Sham object \(RKS\).*mf\.to_hf\(\) and converge it"),
        ("ROKS", r"Kohn-Sham object \(ROKS\).*mf\.to_hf\(\)"),
        ("UKS", r"Unrestricted orbitals \(UKS\)"),
        ("PBC", r"Periodic systems \(RHF\) are not supported; use a molecule"),
        ("DF", r"DFRHF fits its integrals .*without density_fit\(\)"),
        ("SGX", r"SGXRHF fits its integrals"),
    ],
)
@pytest.mark.parametrize("active", [None, (4, 4)])
def test_kinds(kind, message, active):
    with pytest.raises(InputError, match=message):
        read_pyscf(scf_kinds()[kind], active=active)


def test_the_ways_out_work():
    """What the messages advise is accepted."""
    from pyscf import scf

    expected = pytest.approx(mean_field("water").e_tot, abs=1e-8)
    unrestricted = converged(scf.UHF(molecule("water")), 1e-10)
    assert read_pyscf(unrestricted.to_rhf().run()).source.references[0].energy == expected
    kohn_sham = converged(scf.RKS(molecule("water")), 1e-10)
    assert read_pyscf(kohn_sham.to_hf().run()).source.references[0].energy == expected


@pytest.mark.parametrize("source", [None, "water.xyz", 3.0, molecule("h2")])
def test_what_is_no_mean_field(source):
    with pytest.raises(InputError, match=r"Expected a converged PySCF RHF or ROHF.*from_integrals"):
        from_pyscf(source)


def test_scf_that_did_not_run():
    from pyscf import mcscf, scf

    mf = scf.RHF(molecule("water"))
    for source in (mf, mcscf.CASCI(mf, 4, 4)):
        with pytest.raises(InputError, match=r"has no orbitals yet; call mf\.kernel\(\) first"):
            read_pyscf(source)


def test_scf_that_did_not_converge():
    from pyscf import mcscf, scf

    mf = scf.RHF(molecule("water"))
    mf.max_cycle = 1
    mf.kernel()
    for source, active in ((mf, None), (mf, (4, 4)), (mcscf.CASCI(mf, 4, 4), None)):
        with pytest.raises(InputError, match=r"SCF of this RHF did not converge.*mf\.max_cycle"):
            read_pyscf(source, active=active)


def test_casci_on_unrestricted_orbitals():
    """PySCF makes an RHF of it silently; one may be told so."""
    from pyscf import mcscf, scf

    uhf = converged(scf.UHF(molecule("water")), 1e-10)
    with pytest.raises(InputError, match="PySCF makes UHF an RHF that never ran"):
        read_pyscf(mcscf.CASCI(uhf, 4, 4).run())
    for kind in (mcscf.UCASCI, mcscf.UCASSCF):
        with pytest.raises(InputError, match="Unrestricted orbitals"):
            read_pyscf(kind(uhf, 4, 4))


def test_casci_on_other_mean_fields():
    from pyscf import mcscf, scf

    with pytest.raises(InputError, match=r"Kohn-Sham object \(RKS\)"):
        read_pyscf(mcscf.CASCI(converged(scf.RKS(molecule("h2")), 1e-10), 2, 2))
    fitted = converged(scf.RHF(molecule("water")).density_fit(), 1e-10)
    with pytest.raises(InputError, match="DFCASCI fits its integrals"):
        read_pyscf(mcscf.CASCI(fitted, 4, 4))
    with pytest.raises(InputError, match="DFCASSCF fits its integrals"):
        read_pyscf(mcscf.CASSCF(mean_field("water"), 4, 4).density_fit())


def test_active_spaces_with_several_states():
    from pyscf import mcscf

    averaged = mcscf.CASSCF(mean_field("water"), 4, 4).state_average_([0.5, 0.5]).run()
    several = mcscf.CASCI(mean_field("water"), 4, 4)
    several.fcisolver.nroots = 2
    several.run()
    for source in (averaged, several):
        with pytest.raises(InputError, match=r"State-averaged or multi-root.*solved for one root"):
            read_pyscf(source)
    plain = mcscf.CASCI(averaged._scf, 4, 4)
    plain.mo_coeff = averaged.mo_coeff  # what the message advises
    assert read_pyscf(plain).norb == 4


def test_active_spaces_that_did_not_converge():
    from pyscf import mcscf

    cas = mcscf.CASSCF(mean_field("water"), 4, 4)
    cas.max_cycle_macro = 1
    cas.run()
    with pytest.raises(InputError, match=r"CASSCF did not converge\. Raise its max_cycle"):
        read_pyscf(cas)


@pytest.mark.parametrize("solvent", ["ddCOSMO", "PCM"])
def test_solvents(solvent):
    """They add an energy that no electron integral describes; on an active space as well."""
    from pyscf import mcscf, scf

    mf = converged(getattr(scf.RHF(molecule("water")), solvent)(), 1e-10)
    for source, active in ((mf, None), (mf, (4, 4)), (mcscf.CASCI(mf, 4, 4), None)):
        with pytest.raises(
            InputError,
            match=rf"The {solvent}RHF energy rebuilt .* is -7.* reports -7.* 1e-08.*solvent",
        ):
            read_pyscf(source, active=active)


def test_solvents_of_an_active_space():
    from pyscf import mcscf

    cas = mcscf.CASCI(mean_field("water"), 4, 4).ddCOSMO().run()
    with pytest.raises(InputError, match=r"reference determinant energy rebuilt .*solvent"):
        read_pyscf(cas)


def test_fractional_occupations():
    from pyscf import scf

    smeared = scf.addons.smearing(scf.RHF(molecule("o2", spin=0)), sigma=0.1)
    with pytest.raises(InputError, match=r"energy rebuilt .*fractional occupations"):
        read_pyscf(converged(smeared, 1e-10))


def test_energies_that_were_edited():
    from pyscf import mcscf

    mf = mean_field("water").copy()
    mf.e_tot += 2e-8
    with pytest.raises(InputError, match="RHF energy rebuilt"):
        read_pyscf(mf)
    mf.e_tot -= 1.5e-8
    assert read_pyscf(mf).norb == 7
    cas = mcscf.CASCI(mean_field("water"), 4, 4).run()
    cas.e_tot += 2e-8
    with pytest.raises(InputError, match="The CASCI energy rebuilt"):
        read_pyscf(cas)


def test_orbitals_that_were_edited():
    from pyscf import mcscf

    mf = mean_field("water").copy()
    mf.mo_coeff = 1.001 * mf.mo_coeff
    for source in (mf, mcscf.CASCI(mf, 4, 4)):
        with pytest.raises(InputError, match=r"orthonormal; CᵀSC misses the identity by 2\.0e-03"):
            read_pyscf(source)
    mf.mo_coeff = np.full((7, 7), np.nan)
    with pytest.raises(InputError, match="mo_coeff has 49 entries that are nan"):
        read_pyscf(mf)


def test_complex_orbitals():
    from pyscf import mcscf

    mf = mean_field("water").copy()
    mf.mo_coeff = mf.mo_coeff.astype(complex)
    cas = mcscf.CASCI(mean_field("water"), 4, 4)
    cas.mo_coeff = mf.mo_coeff
    for source in (mf, cas):
        with pytest.raises(InputError, match="Complex orbitals are not supported; use real ones"):
            read_pyscf(source)


@pytest.mark.parametrize(
    ("active", "message"),
    [
        ((12, 7), r"active space \(12 electrons, 7 orbitals\) is larger than the molecule, which "),
        ((10, 8), r"larger than the molecule, which has 10 electrons in 7 orbitals\. Ask for at"),
        ((5, 5), r"would leave 5 electrons in the frozen core; they must pair\. Add or remove one"),
        ((8, 3), r"does not fit: 1 frozen orbitals, 4 alpha and 4 beta active electrons, 7 orbit"),
        ((2, 7), r"does not fit: 4 frozen orbitals, 1 alpha and 1 beta active electrons, 7 orbit"),
        ((4, 0), r"must have at least 1 orbital and no negative electrons"),
        ((-2, 2), r"must have at least 1 orbital and no negative electrons"),
        ((4.5, 4), r"active must be two integers \(electrons, orbitals\); got \(4\.5, 4\)"),
        ((4, np.nan), r"active must be two integers"),
        ((4, np.inf), r"active must be two integers"),
        ("44", r"active must be two integers \(electrons, orbitals\); got '44'"),
        (4, r"active must be two integers \(electrons, orbitals\); got 4"),
        ((4,), r"active must be two integers"),
        ((1, 2, 3), r"active must be two integers"),
    ],
)
def test_windows_that_do_not_fit(active, message):
    with pytest.raises(InputError, match=message):
        from_pyscf(mean_field("water"), active=active)


def test_windows_without_room_for_the_unpaired():
    """Triplet O2: no active electrons would put the unpaired ones into the core."""
    with pytest.raises(InputError, match=r"8 frozen orbitals, 1 alpha and -1 beta active"):
        from_pyscf(mean_field("o2"), active=(0, 2))


def test_active_spaces_that_do_not_fit():
    from pyscf import mcscf

    mf = mean_field("water")
    with pytest.raises(InputError, match=r"active is for mean fields; .* Leave active out"):
        read_pyscf(mcscf.CASCI(mf, 4, 4), active=(4, 4))
    with pytest.raises(InputError, match="12 of 10 electrons active leave -2 for the frozen core"):
        read_pyscf(mcscf.CASCI(mf, 7, 12))
    with pytest.raises(InputError, match=r"1 of 10 electrons active leave 9 .*must be even"):
        read_pyscf(mcscf.CASCI(mf, 2, (1, 0)))
    with pytest.raises(InputError, match="needs 4 frozen and 5 active orbitals; mo_coeff has 7"):
        read_pyscf(mcscf.CASCI(mf, 5, 2))
    few = mcscf.CASCI(mf, 4, 4)
    few.mo_coeff = few.mo_coeff[:, :5]
    with pytest.raises(InputError, match=r"needs 3 frozen and 4 active .* has 5\. Ask for fewer"):
        read_pyscf(few)
    with pytest.raises(InputError, match="0 to 2 electrons of each spin into 2 orbitals"):
        read_pyscf(mcscf.CASCI(mf, 2, 6))


def test_a_tensor_that_does_not_fit(monkeypatch):
    message = r"dense two-electron tensor of 7 of 7 orbitals needs .* kB .*Choose an active space"
    with pytest.raises(InputError, match=message):
        from_pyscf(mean_field("water"), max_memory=10_000)
    assert from_pyscf(mean_field("water"), max_memory=100_000).norb == 7
    assert from_pyscf(mean_field("water"), active=(2, 2), max_memory=10_000).norb == 2
    monkeypatch.setattr(module.checks, "available_memory", lambda: 10_000)
    with pytest.raises(InputError, match=message):
        from_pyscf(mean_field("water"))
    with pytest.raises(InputError, match="max_memory must be above 0; got -1"):
        from_pyscf(mean_field("water"), max_memory=-1)


@pytest.mark.parametrize("tolerance", [-1e-9, np.nan, np.inf, "tight", None])
def test_bad_tolerances_are_refused_before_any_work(tolerance):
    with pytest.raises(InputError, match="tolerance must be"):
        from_pyscf(object(), tolerance=tolerance)

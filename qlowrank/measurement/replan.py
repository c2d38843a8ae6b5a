# SPDX-License-Identifier: Apache-2.0
"""A further round of measurement, its shots computed from what the rounds before have shown."""

from dataclasses import replace

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.measurement.allocation import allocate_shots
from qlowrank.measurement.estimate import EnergyEstimate
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.measurement.pricing import Pricing
from qlowrank.measurement.prior import MEASURED, VariancePrior, moderated, prior_of

FLOOR = 0.05
"""Share of the shots that is spread evenly."""


def replan(
    plan: MeasurementPlan,
    estimate: EnergyEstimate,
    *,
    precision: float | None = None,
    prior: VariancePrior | None = None,
    floor: float = FLOOR,
) -> MeasurementPlan:
    r"""Return the plan that reaches the precision from here with the fewest further shots.

    Its shots include those already run, so `measured.remaining_pubs(new_plan, preparation)` is the
    next round, and `new_plan.estimate(measured)` the energy of all rounds together: means and
    variances of all shots of a group, pooled. The circuits are the plan's.

    A sample variance of m shots has a relative error of about sqrt(2/m), more where outcomes are
    rare, and is zero where they were not seen yet. So it is drawn towards a prior one, worth ν
    shots, as in `estimate_energy`. Where a correlated state priced the plan, V⁰ is its prediction
    (`PredictedPrior`); a determinant's variances are zero in whole groups, and V⁰ is that of an
    outcome never seen (`IgnorantPrior`).
    A share `floor` of the shots is spread evenly besides, so that a group which both find quiet is
    still looked at. Where a share f of a group's shots counted (post-selection), a shot is worth f
    of one: :math:`\tilde V_g / f_g` decides.

    Pooled means are consistent, and have a bias of second order. A round that ends in a small
    sample variance asks for fewer further shots and so keeps more weight, and in skewed groups
    small variances go with means on one side. With γ the skewness of a group, M its shots and
    π its share of Σ sqrt(V),

    .. math:: \mathrm{bias}_g \approx -\frac{1 + \pi_g}{2}\,
              \frac{m_g}{\nu + m_g}\, \frac{\gamma_g \sqrt{V_g}}{M_g}:

    γ/(2 sqrt(M)) of the group's own standard error. Further rounds that must have none of it are
    read alone: `plan.estimate` of counts without those of the first round.

    Args:
        plan: What was measured.
        estimate: What came out, from `plan.estimate`.
        precision: Error to reach, Hartree; the plan's by default. A first round is best made with
            a coarser one, so that it does not already overspend on groups that turn out quiet.
        prior: `PredictedPrior()` or `IgnorantPrior()`; by default the latter for plans priced by a
            determinant ("hf") and the former for all others.
        floor: From 0 to less than 1.

    Raises:
        InputError: An estimate of another number of groups, or a precision that cannot be reached.

    Source:
        G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 3, 3 (2004): sample variances moderated by a
        prior. The bias is the delta method applied to the allocation.

    >>> import numpy as np
    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.measurement import plan_measurement, simulate_counts
    >>> from qlowrank.states import fci_state, hartree_fock_state
    >>> hamiltonian, rng = from_example("lih"), np.random.default_rng(3)
    >>> factorization, state = double_factorize(hamiltonian), fci_state(hamiltonian)
    >>> guess = hartree_fock_state(hamiltonian)
    >>> first = plan_measurement(factorization, guess, precision=5e-3, floor=0.1)
    >>> measured = simulate_counts(first, state, rng=rng)
    >>> second = replan(first, first.estimate(measured), precision=1e-3)
    >>> measured = simulate_counts(second, state, rng=rng, measured=measured)
    >>> bool(abs(second.estimate(measured).standard_error / 1e-3 - 1) < 0.05)
    True
    """
    if len(estimate.means) != plan.n_groups:
        raise InputError(
            f"The estimate has {len(estimate.means)} groups and the plan {plan.n_groups}; pass "
            "what plan.estimate(...) returned."
        )
    if (estimate.shots == 0).any():
        raise InputError(
            "The estimate does not say how many shots it is from, as some of the first archives "
            "do not. Make it anew from the counts."
        )
    target = plan.precision if precision is None else checks.positive("precision", precision)
    spent = estimate.shots + estimate.selection.discarded
    chosen = prior_of(plan) if prior is None else prior
    belief = chosen(plan, estimate.means, estimate.shots / spent)
    variances = moderated(belief, estimate.variances, estimate.shots)
    variances = variances * spent / estimate.shots
    shots = allocate_shots(variances, plan.bias.left_of(target), floor=floor, spent=spent)
    pricing = Pricing(MEASURED, estimate.means, variances, floor=float(floor), spent=spent)
    return replace(plan, pricing=pricing, shots=shots, precision=target)

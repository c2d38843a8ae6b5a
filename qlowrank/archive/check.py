# SPDX-License-Identifier: Apache-2.0
"""What verification says: one check, and all of them together."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    """What was checked, such as "hamiltonian: residual"."""
    passed: bool
    """Whether it is as it should be."""
    detail: str
    """The numbers behind the answer."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What `ql.verify` found; true if every check passed."""

    checks: tuple[Check, ...]
    """All checks, hashes first, in a fixed order."""

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def __bool__(self) -> bool:
        """Whether every check passed."""
        return self.passed

    def summary(self) -> str:
        """Return one line a check."""
        return "\n".join(
            f"{'ok' if check.passed else 'FAILED':<7} {check.name}: {check.detail}"
            for check in self.checks
        )

    def __repr__(self) -> str:
        """Say how many passed, and which did not."""
        if self.passed:
            return f"Verification(passed, {len(self.checks)} checks)"
        names = ", ".join(check.name for check in self.failed)
        return f"Verification(FAILED {len(self.failed)} of {len(self.checks)} checks: {names})"


def within(name: str, deviation: float, allowed: float, what: str) -> Check:
    """Compare a deviation, at least zero, with what is allowed; nan never passes, nor does inf."""
    return between(name, 0.0, deviation, allowed, f"{what} {deviation:.2g}, allowed {allowed:.2g}")


def between(name: str, least: float, value: float, most: float, detail: str) -> Check:
    """Compare a value with two finite bounds."""
    return Check(
        name=name,
        passed=bool(math.isfinite(least) and math.isfinite(most) and least <= value <= most),
        detail=detail,
    )


def equal(name: str, passed: bool, what: str) -> Check:
    """State that something is exactly as it should be, or is not."""
    return Check(name=name, passed=bool(passed), detail=f"{what}: {'yes' if passed else 'no'}")

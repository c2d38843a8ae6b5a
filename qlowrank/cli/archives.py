# SPDX-License-Identifier: Apache-2.0
"""Commands that read an archive."""

import argparse
import json

from qlowrank.cli.status import BAD_INPUT, DONE, complain


def show(options: argparse.Namespace) -> int:
    """Print what an archive holds."""
    from qlowrank.archive import load
    from qlowrank.job import outcome_of
    from qlowrank.report import json_object, summary

    outcome = outcome_of(load(options.archive))
    if options.json:
        print(json.dumps(json_object(outcome, options.archive)))
    else:
        print(summary(outcome, options.archive))
    return DONE


def verify(options: argparse.Namespace) -> int:
    """Check an archive; a failed check is bad input."""
    from qlowrank.archive import verify as verify_archive

    verification = verify_archive(options.archive)
    if options.json:
        checks = [
            {"name": c.name, "passed": c.passed, "detail": c.detail} for c in verification.checks
        ]
        answer = {
            "schema": 1,
            "archive": str(options.archive),
            "passed": verification.passed,
            "checks": checks,
        }
        print(json.dumps(answer))
    else:
        for check in verification.checks:
            print(f"  {'ok' if check.passed else 'FAILED':<7} {check.name}: {check.detail}")
    if verification.passed:
        return DONE
    failed = ", ".join(check.name for check in verification.checks if not check.passed)
    return complain(BAD_INPUT, f"{options.archive} does not hold what it says: {failed}")

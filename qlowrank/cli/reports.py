# SPDX-License-Identifier: Apache-2.0
"""The command that turns an archive into a page."""

import argparse

from qlowrank.cli.jobs import refuse_unwritable
from qlowrank.cli.status import BAD_INPUT, DONE, complain


def report(options: argparse.Namespace) -> int:
    """Write the page of an archive; what fails its checks is shown, and is bad input."""
    from qlowrank.archive import load, verify
    from qlowrank.files.atomic import replacing
    from qlowrank.report import html_report

    output = options.archive.with_suffix(".html") if options.output is None else options.output
    refuse_unwritable(output, options.overwrite)
    study = load(options.archive)
    verification = verify(options.archive)
    page = html_report(study, verification)
    with replacing(output, overwrite=options.overwrite) as draft:
        draft.write(memoryview(page.encode()))
    print(f"wrote {output}: {len(verification.checks)} checks, {len(verification.failed)} failed")
    if verification.passed:
        return DONE
    return complain(BAD_INPUT, f"{options.archive} does not hold what it says; see {output}")

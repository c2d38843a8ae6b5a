# SPDX-License-Identifier: Apache-2.0
"""Are all bytes those that were written, and do the labels say what they should?"""

from collections.abc import Iterator
from typing import Any

from qlowrank.archive.check import Check, equal
from qlowrank.archive.datasets import Store, content_digest, digest, is_null
from qlowrank.archive.format import SCHEMA_VERSION
from qlowrank.archive.forms import NO_LABEL, Record
from qlowrank.archive.kinds import KINDS
from qlowrank.archive.opening import OpenArchive
from qlowrank.archive.provenance import attributes_of_records
from qlowrank.checks import InputError


def hash_checks(archive: OpenArchive) -> Iterator[Check]:
    """Recompute the hash of every dataset, and the one over all of them."""
    as_stored = Store(archive.stored)
    wrong: list[str] = []
    digests: list[tuple[str, str]] = []
    for path, dataset in archive.stored.items():
        try:
            fresh = digest(None if is_null(dataset) else as_stored.read(path))
        except InputError as error:
            wrong.append(str(error))
            continue
        digests.append((path, fresh))
        if dataset.attrs.get("sha256") != fresh:
            wrong.append(f"{path} does not have the hash it states")
    count = len(archive.stored)
    yield Check(
        name="hashes",
        passed=not wrong,
        detail="; ".join(wrong[:3]) or f"all {count} datasets have the SHA-256 they state",
    )
    yield equal(
        "content hash",
        content_digest(digests) == archive.attributes.get("content_sha256"),
        f"SHA-256 over {count} datasets is the one stated",
    )


def label_checks(archive: OpenArchive, records: dict[str, Any]) -> Iterator[Check]:
    """Compare units, axes and root attributes with what the records say.

    Only files of the present schema have exactly the datasets that the records' types describe.
    """
    expected_attributes = attributes_of_records(records)
    differing = [
        name for name, value in expected_attributes.items() if archive.attributes.get(name) != value
    ]
    yield equal(
        "provenance",
        not differing,
        f"root attributes repeat the records{_listed(differing)}",
    )
    if archive.attributes["schema_version"] != SCHEMA_VERSION:
        return
    wrong: list[str] = []
    expected: set[str] = set()
    for kind, record in records.items():
        for entry in Record(KINDS[kind]).entries(kind, record, NO_LABEL):
            expected.add(entry.path)
            dataset = archive.stored.get(entry.path)
            stated = {} if dataset is None else dataset.attrs
            if stated.get("units") != entry.units or stated.get("axes") != entry.axes:
                wrong.append(entry.path)
    held = {path for path in archive.stored if path.split("/")[0] in records}
    wrong += sorted(held ^ expected)
    yield equal("labels", not wrong, f"units and axes of every dataset as expected{_listed(wrong)}")


def _listed(names: list[str]) -> str:
    """Name the first few."""
    return f" (not {', '.join(names[:3])})" if names else ""

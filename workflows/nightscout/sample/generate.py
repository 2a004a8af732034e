"""Write the sample: 90 days of one made-up person, with the faults real exports have.

    python workflows/nightscout/sample/generate.py [FOLDER]

The seed is fixed, so the same lines come out each time; a test compares them with the files that ship.
"""

# ruff: noqa: S311 - a seeded generator is the point, secrets are not made here

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

from documents import ObjectIds, entries, events, treatment
from faults import faulty_entries, faulty_treatments, lines
from model import curve

SEED = 20260801
DAYS = 90
TORN_ENTRIES = (4711, 15080, 22222)
TORN_TREATMENTS = (123,)


def write(path: Path, text: Iterable[str]) -> None:
    """Write compressed lines. No name and no time go into the header, so that equal lines are equal bytes."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=9, mtime=0) as packed,
    ):
        packed.writelines(line.encode() + b"\n" for line in text)


def main(folder: Path) -> None:
    """Make both files. Each part has its own seed: a change in one leaves the others as they are."""
    done = events(Random(SEED), DAYS)
    glucose = curve(Random(SEED + 1), done, DAYS)
    found = faulty_entries(Random(SEED + 3), entries(Random(SEED + 2), glucose), len(glucose))
    write(folder / "entries.jsonl.gz", lines(found, TORN_ENTRIES))
    ids = ObjectIds("da7af10e77", 0x900000)
    treatments = faulty_treatments(Random(SEED + 4), (treatment(ids, event) for event in done))
    write(folder / "treatments.jsonl.gz", lines(treatments, TORN_TREATMENTS))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

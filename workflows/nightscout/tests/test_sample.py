"""The sample that ships: what the script writes, synthetic and said to be so."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "sample"
FILES = ("entries.jsonl.gz", "treatments.jsonl.gz")


def test_the_shipped_sample_is_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-B", FOLDER / "generate.py", tmp_path], check=True)
    for name in FILES:
        # The lines, not the bytes: two builds of zlib may pack the same lines differently.
        assert gzip.decompress((tmp_path / name).read_bytes()) == gzip.decompress((FOLDER / name).read_bytes())


def test_the_sample_is_small_enough_to_ship() -> None:
    assert sum((FOLDER / name).stat().st_size for name in FILES) < 2_000_000


def test_every_document_says_that_it_is_synthetic(sample: dict[str, list[dict[str, Any]]]) -> None:
    everything = sample["entries"] + sample["treatments"]
    assert len(everything) > 26_000
    assert all(document["synthetic"] is True for document in everything)

"""Read an export: a JSON array or JSON lines, plain or gzip. Document by document, unparsed, with its line.

Nothing is judged here. A torn line or a torn array comes out as it stands and lands in the lake like the rest; the
rules in `transform.py` then put it into quarantine with its line number.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

from dataflow.errors import SourceError

SEPARATORS = re.compile(r"[\s,]*")


def documents(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each document in the file, lines counted from 1.

    Raises:
        SourceError: EXPORT_MISSING, EXPORT_UNREADABLE.
    """
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", errors="replace")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig", errors="replace") as file
        ):
            first = next((line for line in file if line.strip()), "")
            file.seek(0)
            yield from of_array(file.read()) if first.lstrip().startswith("[") else of_lines(file)
    except FileNotFoundError as error:
        message = f"The export {path} is not there."
        hint = "settings.source in config.yaml names it; paths are relative to the workflow's folder."
        raise SourceError(message, code="EXPORT_MISSING", hint=hint) from error
    except (OSError, EOFError) as error:
        message = f"The export {path} cannot be read: {error}."
        hint = "Fetch it again: it is damaged or was cut short."
        raise SourceError(message, code="EXPORT_UNREADABLE", hint=hint) from error


def of_lines(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Yield each line that is not empty."""
    for number, line in enumerate(lines, start=1):
        if text := line.strip():
            yield number, text


def of_array(text: str) -> Iterator[tuple[int, str]]:
    """Yield each element as it stands. Where the array breaks off, the rest of the text is the last document."""
    decoder = json.JSONDecoder()
    position, line, counted = text.index("[") + 1, 1, 0
    while True:
        position = SEPARATORS.match(text, position).end()  # type: ignore[union-attr] - it matches the empty string
        if position >= len(text) or text[position] == "]":
            return
        line, counted = line + text.count("\n", counted, position), position
        try:
            end = decoder.raw_decode(text, position)[1]
        except json.JSONDecodeError:
            end = len(text)
        yield line, text[position:end]
        position = end

"""Text files made fit for a parser: as UTF-8, without lines no parser could hold, in bounded memory."""

from __future__ import annotations

import codecs
import gzip
import shutil
import tempfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dataflow.errors import SourceError

CHUNK = 1 << 20
LONGEST_LINE = 2_000_000  # bytes; DuckDB's own limit for a CSV line
SHOWN = 200
GZIP = b"\x1f\x8b"
UTF8_NAMES = frozenset({"utf-8", "utf-8-sig", "ascii"})
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that was set aside. `line` counts from 1 in the source file; `raw` is its start, 200 characters at most."""

    line: int
    column: str | None
    reason: str
    raw: str


def encoding_of(path: Path) -> str:
    """The encoding of a text file, by its byte order mark or by its bytes.

    UTF-8 when any character in it is proper UTF-8 beyond ASCII, so that a few torn bytes stay errors of their rows;
    otherwise Windows-1252, which is what spreadsheet programs export.
    """
    with path.open("rb") as file:
        start = file.read(4)
        for mark, name in BOMS:
            if start.startswith(mark):
                return name
        file.seek(0)
        valid = invalid = 0
        while chunk := file.read(CHUNK):
            if not chunk.isascii():
                text = chunk.decode("utf-8", "replace")
                torn = text.count("\ufffd")
                invalid += torn
                valid += sum(character > "\x7f" for character in text) - torn
    # One replacement at each end of a chunk may be a character cut in two, hence the margin for large files.
    return "utf-8" if valid or not invalid else "cp1252"


@contextmanager
def readable(path: Path, encoding: str | None) -> Generator[tuple[Path, tuple[RowError, ...]]]:
    """The file itself where it is fit, else a repaired copy for the length of the block, and the lines taken out.

    A gzip file is unpacked. A line that is too long becomes an empty one, so that the lines after it keep their
    numbers.

    Raises:
        SourceError: FILE_MISSING, FILE_UNREADABLE, ENCODING_UNKNOWN; FILE_MALFORMED, a gzip file that is damaged.
    """
    with tempfile.NamedTemporaryFile() as unpacked, tempfile.NamedTemporaryFile() as copy:
        plain = Path(unpacked.name) if _unpack(path, unpacked) else path
        errors = _prepared(plain, copy, encoding)
        copy.flush()
        yield (plain, ()) if errors is None else (Path(copy.name), errors)


def _unpack(path: Path, unpacked: IO[bytes]) -> bool:
    """Whether the file is gzip, and then unpacked; known by its first bytes, whatever it is called."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            if file.read(len(GZIP)) != GZIP:
                return False
        with gzip.open(path) as packed:
            shutil.copyfileobj(packed, unpacked, CHUNK)
    except PermissionError as exc:
        raise _unreadable(path, exc) from exc
    except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
        hint = "Was the transfer complete?"
        raise SourceError(f"{path} is a damaged gzip file: {exc}", code="FILE_MALFORMED", hint=hint) from exc
    unpacked.flush()
    return True


def _unreadable(path: Path, exc: OSError) -> SourceError:
    return SourceError(f"{path} cannot be read: {exc.strerror}", code="FILE_UNREADABLE")


def _prepared(path: Path, copy: IO[bytes], encoding: str | None) -> tuple[RowError, ...] | None:
    """The lines that were left out of the copy, or None where no copy was needed."""
    try:
        name = codecs.lookup(encoding or encoding_of(path)).name
        if name in UTF8_NAMES and not _has_long_line(path):
            return None
        return tuple(_repair(path, copy, name))
    except LookupError as exc:
        hint = "Name it as Python does: utf-8, latin-1, cp1252, utf-16"
        raise SourceError(f"There is no encoding {encoding!r}", code="ENCODING_UNKNOWN", hint=hint) from exc
    except FileNotFoundError as exc:
        raise SourceError(f"There is no file {path}", code="FILE_MISSING") from exc
    except (PermissionError, IsADirectoryError) as exc:
        raise _unreadable(path, exc) from exc


def _has_long_line(path: Path) -> bool:
    with path.open("rb") as file:
        while line := file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                return True
    return False


def _repair(source: Path, copy: IO[bytes], encoding: str) -> Iterator[RowError]:
    """Write the lines that fit to the copy, as UTF-8, and tell of those that do not."""
    # Torn bytes in a UTF-8 file pass through as they are: the parser sets their rows aside.
    keep = "surrogateescape" if encoding in UTF8_NAMES else "replace"
    with source.open("r", encoding=encoding, errors=keep, newline="") as text:
        number, pieces = 1, 0
        first = ""
        while piece := text.readline(LONGEST_LINE):
            pieces, first = pieces + 1, first or piece
            whole = len(piece) < LONGEST_LINE or piece.endswith(("\n", "\r"))
            if whole and pieces == 1:
                copy.write(piece.encode("utf-8", keep))
            elif whole:
                copy.write(b"\n")
                yield _too_long(number, first)
            if whole:
                number, pieces, first = number + 1, 0, ""
        if pieces:
            yield _too_long(number, first)


def _too_long(number: int, first: str) -> RowError:
    return RowError(number, None, f"the line is longer than {LONGEST_LINE:,} characters", first[:SHOWN])

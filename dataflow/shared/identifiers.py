"""Names in SQL text: quoted, so that no name can be read as SQL."""

from __future__ import annotations

from itertools import zip_longest

from dataflow.errors import UsageError

MAX_PARTS = 3


def quote(name: str) -> str:
    """One identifier, quoted for DuckDB and Postgres, with the quotes inside it doubled.

    Raises:
        UsageError: NAME_INVALID; the name is empty or holds a NUL.
    """
    if not name or "\0" in name:
        raise UsageError(
            f"{name!r} is not a name that SQL can hold", code="NAME_INVALID", hint="A name is not empty and has no NUL"
        )
    return '"' + name.replace('"', '""') + '"'


def parts(name: str) -> tuple[str, ...]:
    """The parts of a dotted name; a dot inside double quotes belongs to its part.

    Raises:
        UsageError: NAME_INVALID; more than three parts, an empty part, a NUL, a quote left open.
    """
    found = tuple(_split(name))
    if not 1 <= len(found) <= MAX_PARTS or not all(found) or "\0" in name:
        raise UsageError(
            f"{name!r} is not a table name",
            code="NAME_INVALID",
            hint="Write table, schema.table or database.schema.table; put a part that holds a dot in double quotes",
        )
    return found


def qualified(name: str) -> str:
    """A dotted name with every part quoted: `schema.table` becomes `"schema"."table"`.

    Raises:
        UsageError: NAME_INVALID; as for `parts`.
    """
    return ".".join(quote(part) for part in parts(name))


def _split(name: str) -> list[str]:
    pieces, quoted, skip = [""], False, False
    for char, following in zip_longest(name, name[1:]):
        if skip:
            skip = False
        elif char == '"' and quoted and following == '"':
            pieces[-1] += char
            skip = True
        elif char == '"':
            quoted = not quoted
        elif char == "." and not quoted:
            pieces.append("")
        else:
            pieces[-1] += char
    return [""] if quoted else pieces

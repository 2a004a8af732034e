"""What a key of dataflow.toml or of an `x-dataflow:` block means, and what may be in it.

The tables are plain frozen dataclasses. Pydantic checks them, and describes them for editors, but importing it takes a
third of a command's time: only what reads a file that has changed since the last command does. See docs/adr/0020.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, TypeAdapter

T = TypeVar("T")


class Strict:
    """The base of a table: a key that it does not have is an error."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """Goes into `Annotated`: what the key means, and the limits of its value (pydantic's names for them)."""

    description: str | None = None
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    min_length: int | None = None
    pattern: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        """Be pydantic's `Field`. The protocol: https://docs.pydantic.dev/latest/concepts/types/#custom-types."""
        from pydantic import Field

        given = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return handler.generate_schema(Annotated[source, Field(**given)])


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """A key: its type without `Key`, its default, whether it must be there, and what it means."""

    annotation: Any
    default: Any
    required: bool
    description: str


def described(table: type) -> dict[str, Described]:
    """The keys of a table."""
    hints = get_type_hints(table, include_extras=True)
    return {field.name: _described(field, hints[field.name]) for field in dataclasses.fields(table)}


def _described(field: dataclasses.Field[Any], annotation: Any) -> Described:
    key = Key()
    if get_origin(annotation) is Annotated:
        annotation, key, *_ = get_args(annotation)
    factory: Any = field.default_factory
    default = factory() if factory is not dataclasses.MISSING else field.default
    return Described(annotation, default, default is dataclasses.MISSING, key.description or "")


def adapter(table: type[T]) -> TypeAdapter[T]:
    """Pydantic's view of a table: it validates, with every fault at once, and gives the JSON Schema."""
    return _adapter(table)


@cache
def _adapter(table: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(table)


# msgspec 0.22 crashes where two threads use a dataclass for the first time at once: it reads its types unguarded.
_one_at_a_time = threading.Lock()


def to_plain(value: Any) -> Any:
    """What was checked, as JSON can hold it."""
    import msgspec

    with _one_at_a_time:
        return msgspec.to_builtins(value, enc_hook=str)


def from_plain(value: Mapping[str, Any], kind: type[T]) -> T:
    """The opposite, quickly. Raises ValueError where it is not of this kind: another release wrote it."""
    import msgspec

    with _one_at_a_time:
        return msgspec.convert(value, kind, dec_hook=lambda wanted, text: Path(text) if wanted is Path else text)

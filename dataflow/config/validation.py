"""Check a document against a model and say what is wrong, where, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.config.keys import adapter, described
from dataflow.errors import Action, ConfigurationError, DataflowError, Place
from dataflow.models import Finding

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from dataflow.config.documents import Document

T = TypeVar("T")
_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}  # pydantic's words: of a model, and of a dataclass
_MISSING = {"missing", "missing_keyword_only_argument"}


def validate(model: type[T], document: Document) -> T:
    """The document as a `model`, pydantic's or a table. Raises ConfigurationError CONFIG_INVALID with every finding."""
    from pydantic import ValidationError

    try:
        return adapter(model).validate_python(document.data)
    except ValidationError as error:
        raise invalid(findings_of(error.errors(), model, document)) from error


def invalid(findings: tuple[Finding, ...]) -> ConfigurationError:
    """One error for many findings: it speaks of the first and counts the others."""
    first = findings[0]
    more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
    error = ConfigurationError(
        first.message + more,
        code="CONFIG_INVALID",
        hint=first.hint,
        place=first.place,
        actions=(Action("See every finding", "dataflow config validate"),),
    )
    error.findings = findings
    return error


def findings_in(error: DataflowError, otherwise: Place) -> list[Finding]:
    """The findings that an error carries, or one whose rule is its code. `otherwise`: the place of one without."""
    carried = error.findings if isinstance(error, ConfigurationError) else ()
    many = [finding for finding in carried if isinstance(finding, Finding)]
    rule = error.code.lower().replace("_", "-")
    return many or [Finding(rule, error.message, error.place or otherwise, error.hint)]


def findings_of(errors: Iterable[ErrorDetails], model: type, document: Document) -> tuple[Finding, ...]:
    """Pydantic's complaints as findings with places in the user's file."""
    return tuple(_finding(error, model, document) for error in errors)


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """'Did you mean …?' for the nearest known word, or nothing."""
    cutoff = 0.6 if len(word) > 4 else 0.7
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return f"Did you mean '{near[0]}'?" if near else None


def _finding(error: ErrorDetails, model: type, document: Document) -> Finding:
    key = _own_keys(error["loc"], document.data)
    dotted = ".".join(str(part) for part in key)
    place = document.place(key)
    if error["type"] in _UNKNOWN:
        known = _known_keys(model, key[:-1])
        hint = suggestion(str(key[-1]), known) or f"Known here: {', '.join(sorted(known))}."
        return Finding("unknown-key", f"Unknown key '{dotted}'.", place, hint)
    if error["type"] in _MISSING:
        return Finding("missing-key", f"'{dotted}' is required.", place)
    return Finding("wrong-value", f"'{dotted}': {error['msg']}.", place, f"Found: {error['input']!r}.")


def _own_keys(loc: tuple[str | int, ...], data: Any) -> tuple[str | int, ...]:
    """The user's own keys in pydantic's location, which also names the member of a union that was tried."""
    found: list[str | int] = []
    for index, part in enumerate(loc):
        if isinstance(data, Mapping) and part not in data and index < len(loc) - 1:
            continue
        found.append(part)
        data = _inside(data, part)
    return tuple(found)


def _inside(data: Any, part: str | int) -> Any:
    if isinstance(data, Mapping):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None


def _known_keys(model: Any, path: tuple[str | int, ...]) -> list[str]:
    """The keys of the (nested) model at `path`."""
    for part in path:
        keys = _keys(model)
        model = _model_in(keys[part].annotation if part in keys else model) or model
    return list(_keys(model))


def _keys(model: Any) -> Mapping[Any, Any]:
    """The keys of a model of pydantic or of a table, each with its `annotation`."""
    return described(model) if isinstance(model, type) and is_dataclass(model) else getattr(model, "model_fields", {})


def _model_in(annotation: Any) -> type | None:
    """The model inside `Model`, `dict[str, Model]`, `tuple[Model, …]` or `Model | None`."""
    from typing import get_args

    if isinstance(annotation, type) and (is_dataclass(annotation) or hasattr(annotation, "model_fields")):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)

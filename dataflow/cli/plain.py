"""Results as JSON: dataclasses become objects, times ISO 8601, sizes bytes; NaN has no JSON and becomes null."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

_EXACT_DIGITS = 15  # a float holds this many decimal digits exactly; longer decimals become strings


def plain(value: Any) -> Any:
    """`value` as dicts, lists, strings, numbers, booleans and None."""
    match value:
        case None | bool() | int() | str():
            return value.value if isinstance(value, Enum) else value
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return _scalar(value)


def dumps(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(", ", ": "))


def _scalar(value: Any) -> Any:
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            short = len(value.as_tuple().digits) <= _EXACT_DIGITS and value.is_finite()
            return float(value) if short else str(value)
        case Enum():
            return plain(value.value)
        case bytes() | bytearray():
            return bytes(value).hex()
        case PurePath() | UUID():
            return str(value)
        case _:
            return str(value)

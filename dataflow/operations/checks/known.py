"""What is known of services and images from outside: a table beside this file, data and not code."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

_MB = 1 << 20
_UNKNOWN = 100  # MB, for a service of the user's own


@dataclass(frozen=True, slots=True)
class Supply:
    """An image that ends or has ended: `says` what is known, `instead` what to use."""

    image: str
    state: Literal["gone", "archived", "ended"]
    since: date
    says: str
    instead: str
    tags: str = ""


def memory(service: str) -> int:
    """Bytes that a service takes without work, as measured; a guess for one that is not ours. Jobs take none."""
    if service in {"bucket-init", "dagster-migrate"}:
        return 0
    return int(_table()["memory"].get(service, _UNKNOWN)) * _MB


def supply(reference: str) -> Supply | None:
    """What is known against an image, by its name and tag."""
    name, tag = split(reference)
    for entry in _table()["supply"]:
        found = Supply(**entry)
        if found.image == name and re.match(found.tags, tag):
            return found
    return None


def split(reference: str) -> tuple[str, str]:
    """An image's name without Docker Hub's own parts, and its tag; empty where there is none, or a digest."""
    name, _, _ = reference.partition("@")
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # localhost:5000/x
        head, tag = name, ""
    return head.removeprefix("docker.io/").removeprefix("library/"), tag


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("known.toml").read_text(encoding="utf-8"))

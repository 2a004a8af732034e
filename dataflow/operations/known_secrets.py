"""Every secret of a project that can be known: from .env, also a broken one, and from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from dataflow.config import dotenv
from dataflow.config.compose import declared_secrets
from dataflow.config.environment import SECRETS
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import PREFIX, leaves, variable_of
from dataflow.errors import ConfigurationError, Place
from dataflow.shared.masking import SECRET_NAME, SHORTEST_SECRET
from dataflow.shared.redaction import SHORTEST, passwords_in

_COMMENTED = re.compile(r"^#\s*(?P<name>\w+)=(?P<value>\S+)\s*$", re.MULTILINE)
_PUBLIC = {"DATAFLOW_S3_REGION", "DATAFLOW_S3_ENDPOINT", "DATAFLOW_PROJECT_DIR", "DATAFLOW_STATE_DIR"}


def known_secrets(paths: ProjectPaths, environ: Mapping[str, str] = os.environ) -> set[str]:
    """The values. In `.env` everything counts that is no setting of ours: that file is there for secrets.

    Raises:
        ConfigurationError: FILE_UNREADABLE; .env cannot be read, so nobody knows what is secret.
    """
    values, broken = _env_file(paths)
    named = {*SECRETS, *declared_secrets(paths)}
    found = {value for name, value in environ.items() if name in named or SECRET_NAME.search(name)}
    found |= {value for name, value in values.items() if name in named or SECRET_NAME.search(name)}
    found |= {value for name, value in values.items() if not _is_setting(name) and len(value) >= SHORTEST_SECRET}
    found |= {password for text in [*values.values(), *environ.values()] for password in passwords_in(text)}
    found |= {word for line in broken for word in _words(line)}
    return {value for value in found if len(value) >= SHORTEST}


def env_names(paths: ProjectPaths) -> list[str]:
    """The names of the variables in .env, without their values."""
    return sorted(_env_file(paths)[0])


def _env_file(paths: ProjectPaths) -> tuple[dict[str, str], list[str]]:
    try:
        text = paths.env.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        message = f"{paths.env.name} cannot be read, so nobody knows what is secret: {error.strerror}."
        raise ConfigurationError(message, code="FILE_UNREADABLE", place=Place(paths.env)) from error
    values, broken = dotenv.salvage(text)
    old = [found["value"] for found in _COMMENTED.finditer(text) if SECRET_NAME.search(found["name"])]
    return values, [*broken, *old]  # what was commented out may be in a log of before


def _words(line: str) -> Iterator[str]:
    """What may be a secret in a line that cannot be read: the whole, what is behind the first =, and each long word."""
    whole = line.strip()
    yield from (whole, whole.partition("=")[2].strip().strip("'\""))
    yield from (word for word in re.split(r"[\s='\"]+", whole) if len(word) >= SHORTEST_SECRET)


def _is_setting(name: str) -> bool:
    settings = {variable_of(key) for key in leaves()}
    return name in _PUBLIC or name in settings or name.startswith(f"{PREFIX}SERVICES_")

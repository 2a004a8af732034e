"""The environment variables that the engine hands to workflow code, and what a missing one says."""

from __future__ import annotations

import os

from dataflow.errors import Action, ConfigurationError


def required(name: str) -> str:
    """The value of a variable that `dataflow up` or a workflow run sets.

    Raises:
        ConfigurationError: VARIABLE_MISSING; the variable is unset or empty.
    """
    value = os.environ.get(name, "")
    if value:
        return value
    raise ConfigurationError(
        f"The environment variable {name} is not set",
        code="VARIABLE_MISSING",
        hint="`dataflow up` and `dataflow workflow run` set it for workflow code; set it yourself to run code alone",
        actions=(Action("Start the platform", "dataflow up"), Action("Set it", f"export {name}=…")),
    )

"""Dagster's log lines in our own format: one pipeline for its events, users' messages and library logs.

dagster.yaml names the handler under `python_logs`, so it serves every run, wherever it was launched.
"""

from __future__ import annotations

import logging
from typing import Any

_RUN = logging.getLogger("dagster.run")


class ToPipeline(logging.Handler):
    """Hands Dagster's records to the standard library's tree, with the step as context."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on, with the message as it was before Dagster decorated it."""
        meta: dict[str, Any] = getattr(record, "dagster_meta", None) or {}
        self._bind(meta.get("dagster_event"), meta.get("step_key"))
        message = meta.get("orig_message") or record.getMessage()
        context = {"step": meta.get("step_key"), "exception": _error_of(meta.get("dagster_event"))}
        _RUN.log(record.levelno, "%s", message, extra={key: value for key, value in context.items() if value})

    @staticmethod
    def _bind(event: Any, step: str | None) -> None:
        """While a step runs, its name is in every line that its code logs, by whatever library."""
        from structlog.contextvars import bind_contextvars, unbind_contextvars

        kind = getattr(event, "event_type_value", "")
        if kind == "STEP_START":
            bind_contextvars(step=step)
        elif kind in {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}:
            unbind_contextvars("step")


def _error_of(event: Any) -> str | None:
    """The error of a failure event with its traceback, as Dagster serialised it."""
    error = getattr(getattr(event, "event_specific_data", None), "error", None)
    return error.to_string() if error else None

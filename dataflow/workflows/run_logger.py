"""Dagster's log lines in our own format: one pipeline for events, users' messages and library logs."""

from __future__ import annotations

import logging
from typing import Any

from dagster import InitLoggerContext, LoggerDefinition


class _ToPipeline(logging.Handler):
    """Hands Dagster's records to the root logger with run and step as context."""

    def emit(self, record: logging.LogRecord) -> None:
        meta: dict[str, Any] = getattr(record, "dagster_meta", None) or {}
        target = logging.getLogger("dagster.run")
        message = meta.get("orig_message") or record.getMessage()
        extra = {"run_id": meta.get("run_id"), "job": meta.get("job_name"), "step": meta.get("step_key")}
        target.log(record.levelno, "%s", message, extra={key: value for key, value in extra.items() if value})


def _make(_context: InitLoggerContext) -> logging.Logger:
    own = logging.Logger("dataflow.run", level=logging.DEBUG)  # noqa: LOG001 - not in the tree: it must not double lines
    own.addHandler(_ToPipeline())
    return own


run_logger = LoggerDefinition(_make, description="JSON lines with run and step, in the format of every other log")

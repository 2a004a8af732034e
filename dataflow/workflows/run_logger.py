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
        step = meta.get("step_key")
        message = meta.get("orig_message") or record.getMessage()
        _RUN.log(record.levelno, "%s", message, extra={"step": step} if step else None)

"""One line in audit.jsonl for every command that changes something: who, what, when, with what end."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
from collections.abc import Generator
from datetime import UTC, datetime

from dataflow.errors import DataflowError
from dataflow.operations.context import Context
from dataflow.system.files import mapped_os_errors


@contextlib.contextmanager
def audited(context: Context, operation: str, detail: str = "") -> Generator[None]:
    """Write the line when the work ends, well or not. Secrets must not be in `detail`."""
    outcome = "interrupted"
    try:
        yield
        outcome = "done"
    except DataflowError as error:
        outcome = error.code
        raise
    finally:
        _append(context, operation, detail, outcome)


def _append(context: Context, operation: str, detail: str, outcome: str) -> None:
    line = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "actor": actor(),
        "operation": operation,
        "detail": detail,
        "outcome": outcome,
    }
    path = context.paths.audit
    with contextlib.suppress(DataflowError), mapped_os_errors(path):  # a full disk must not hide the real error
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def actor() -> str:
    """The user, and whether a machine acted for them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user} (ci)" if os.environ.get("CI") else user

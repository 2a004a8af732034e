"""What is told of an alert, wherever it comes from: one line of `.dataflow/alerts.jsonl`, or Alertmanager's message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from dataflow.operations.alerting.evaluate import Active
from dataflow.operations.alerting.rules import filled, load_rules
from dataflow.system.files import mapped_os_errors

_LARGEST = 5 << 20  # bytes of the file, and of the one before
_writing = Lock()


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert that began or is over."""

    status: Literal["firing", "resolved"]
    alert: str
    severity: str
    summary: str
    action: str
    labels: dict[str, str]
    since: datetime


def notice_of(active: Active, status: Literal["firing", "resolved"]) -> Notice:
    """An alert of the native engine. One of a rule that is gone has no words."""
    rule = next((rule for rule in load_rules() if rule.name == active.rule), None)
    words = (filled(rule.summary, active.labels), filled(rule.action, active.labels)) if rule else ("", "")
    since = datetime.fromtimestamp(active.fired or active.since, UTC)
    return Notice(status, active.rule, rule.severity if rule else "warning", *words, active.labels, since)


def notices_in(message: Mapping[str, Any]) -> list[Notice]:
    """The alerts of a message of Alertmanager; entries that are none are left out."""
    return [found for entry in message["alerts"] if isinstance(entry, dict) and (found := _read(entry))]


def _read(entry: Mapping[str, Any]) -> Notice | None:
    try:
        labels = {str(key): str(value) for key, value in entry["labels"].items()}
        words = entry.get("annotations", {})
        return Notice(
            status="resolved" if entry["status"] == "resolved" else "firing",
            alert=labels.pop("alertname"),
            severity=labels.pop("severity", "warning"),
            summary=str(words.get("summary", "")),
            action=str(words.get("action", "")),
            labels=labels,
            since=datetime.fromisoformat(entry["startsAt"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def message_of(notices: Sequence[Notice]) -> dict[str, Any]:
    """A message as Alertmanager sends it (version 4), so that receivers need not know who evaluated."""
    firing = any(notice.status == "firing" for notice in notices)
    alerts = [
        {
            "status": notice.status,
            "labels": {"alertname": notice.alert, "severity": notice.severity, **notice.labels},
            "annotations": {"summary": notice.summary, "action": notice.action},
            "startsAt": notice.since.isoformat(),
        }
        for notice in notices
    ]
    return {"version": "4", "status": "firing" if firing else "resolved", "receiver": "dataflow", "alerts": alerts}


def append(path: Path, notices: Iterable[Notice]) -> None:
    """Write a line for each; a full file takes the place of the one before. Raises OperationFailedError DISK_FULL."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    lines = [json.dumps({"timestamp": now, **asdict(one), "since": one.since.isoformat()}) for one in notices]
    with _writing, mapped_os_errors(path):
        if path.exists() and path.stat().st_size > _LARGEST:
            path.replace(path.with_name(f"{path.name}.1"))
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

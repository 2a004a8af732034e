"""Alertmanager's configuration, where the settings of [alerts] ask for more than the file that we ship.

No secret is in it: Alertmanager reads the webhook's URL and the mail server's password from files that its container
makes in its own memory, out of variables that come from .env.
"""

from __future__ import annotations

import json
from typing import Any

from dataflow.config.settings import Loaded

WEBHOOK = "DATAFLOW_ALERTS_WEBHOOK_URL"
_SECRETS = "/dev/shm"  # noqa: S108 - of a container, where nobody else is
_TITLE = "[dataflow] {{ .Status }}: {{ .CommonLabels.alertname }}"
_TEXT = "{{ range .Alerts }}{{ .Status }}: {{ .Annotations.summary }}\n  {{ .Annotations.action }}\n\n{{ end }}"


def configuration(loaded: Loaded, environ: dict[str, str]) -> str | None:
    """The file's text; None where the shipped one does. JSON, which is YAML as well."""
    settings = loaded.settings.alerts
    webhook = bool(environ.get(WEBHOOK) or loaded.env.get(WEBHOOK))
    mail = bool(settings.email_to and settings.smtp)
    if not webhook and not mail:
        return None
    hooks: list[dict[str, Any]] = [{"url": "http://exporter:9888/alerts"}]
    receiver: dict[str, Any] = {"name": "dataflow", "webhook_configs": hooks}
    if webhook:
        hooks.append({"url_file": f"{_SECRETS}/webhook"})
    if mail:
        receiver["email_configs"] = [_mail(loaded)]
    route = {
        "receiver": "dataflow",
        "group_by": ["alertname"],
        "group_wait": "10s",
        "group_interval": "1m",
        "repeat_interval": "12h",
    }
    return json.dumps({"route": route, "receivers": [receiver]}, indent=2) + "\n"


def _mail(loaded: Loaded) -> dict[str, Any]:
    settings = loaded.settings.alerts
    sign_in = {"auth_username": settings.smtp_user, "auth_password_file": f"{_SECRETS}/smtp"}
    return {
        "to": ", ".join(settings.email_to),
        "from": settings.email_from or settings.email_to[0],
        "smarthost": settings.smtp,
        "require_tls": settings.smtp_tls,
        "send_resolved": True,
        "headers": {"Subject": _TITLE},
        "html": "",
        "text": _TEXT,
        **(sign_in if settings.smtp_user else {}),
    }

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataflow.config.alertmanager import configuration
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import load

SECRET = "https://hooks.example.org/token"
MAIL = '[alerts]\nemail_to = ["ops@example.org"]\nsmtp = "smtp.example.org:587"\nsmtp_user = "me"\n'


@pytest.fixture
def paths(tmp_path: Path) -> ProjectPaths:
    (tmp_path / "dataflow.toml").write_text(MAIL)
    return ProjectPaths(tmp_path)


def test_where_nothing_is_asked_for_the_shipped_file_does(paths: ProjectPaths) -> None:
    paths.config.write_text("")
    assert configuration(load(paths, flags={}, environ={}), {}) is None


def test_a_webhook_and_mail_are_added_and_no_secret_is_written(paths: ProjectPaths) -> None:
    paths.env.write_text(f"DATAFLOW_ALERTS_WEBHOOK_URL={SECRET}\nDATAFLOW_ALERTS_SMTP_PASSWORD=hush\n")
    text = configuration(load(paths, flags={}, environ={}), {})
    assert text
    assert SECRET not in text
    assert "hush" not in text
    (receiver,) = json.loads(text)["receivers"]
    assert receiver["webhook_configs"] == [{"url": "http://exporter:9888/alerts"}, {"url_file": "/dev/shm/webhook"}]
    (mail,) = receiver["email_configs"]
    assert (mail["to"], mail["smarthost"], mail["require_tls"]) == ("ops@example.org", "smtp.example.org:587", True)
    assert mail["auth_password_file"] == "/dev/shm/smtp"

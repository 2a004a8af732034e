"""Speak with supervisord: write its configuration, call it, read what its log says about crashes."""

from __future__ import annotations

import http.client
import os
import re
import tempfile
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dataflow.config.paths import ProjectPaths
from dataflow.engines.launch import Launch
from dataflow.errors import BackendError
from dataflow.system.http import UnixConnection

CALL_TIMEOUT = 10.0
_SOCKET_LIMIT = 100  # bytes; the kernel's is 108, macOS's 104
_ENV = re.compile(r"\{\{env\.(\w+)\}\}")
_EXITED = re.compile(
    r"^(?P<time>\S+ \S+?),\d+ \w+ exited: (?P<name>\S+) \((?P<how>[^;]*); not expected\)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Crash:
    """A process that ended although nobody asked it to."""

    time: datetime
    how: str


def socket_path(paths: ProjectPaths) -> Path:
    """The project's socket; in a folder of the user's own where the project's path is too long for one."""
    path = paths.run / "supervisor.sock"
    if len(os.fsencode(path)) <= _SOCKET_LIMIT:
        return path
    return Path(tempfile.gettempdir()) / f"dataflow-{os.getuid()}" / f"{paths.stack_id}.sock"


def configuration(paths: ProjectPaths, launches: Mapping[str, Launch]) -> str:
    """supervisord.conf for these services, in the order of their start."""
    run = _escape(str(paths.run))
    head = f"""\
; Written by dataflow. Do not edit: `dataflow up` writes it anew.
[unix_http_server]
file={_escape(str(socket_path(paths)))}
chmod=0700

[supervisord]
logfile={run}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={run}/supervisord.pid
nodaemon=true
silent=true

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    return head + "".join(_program(paths, launch, number) for number, launch in enumerate(launches.values(), 1))


def _program(paths: ProjectPaths, launch: Launch, priority: int) -> str:
    environment = ",".join(f'{key}="{_reference(value)}"' for key, value in launch.environment.items())
    return f"""
[program:{launch.name}]
command={" ".join(_quote(part) for part in launch.command)}
directory={_escape(str(paths.root))}
environment={environment}
priority={priority}
autostart=true
autorestart=true
startsecs=5
startretries=5
stopsignal={launch.stop_signal}
stopwaitsecs={launch.stop_seconds}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={_escape(str(paths.logs))}/{launch.name}.jsonl
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=3
"""


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _quote(text: str) -> str:
    escaped = _escape(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _reference(text: str) -> str:
    """Leave secrets in supervisord's environment: its configuration only names them."""
    return _ENV.sub(lambda match: f"%(ENV_{match[1]})s", _escape(text).replace('"', '\\"'))


class Client:
    """Calls to the project's supervisord over its socket."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_Transport(path))

    def call(self, method: str, *arguments: Any) -> Any:
        """Call `supervisor.<method>`. Raises BackendError SUPERVISOR_DOWN or SUPERVISOR_REFUSED."""
        try:
            return getattr(self._server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as error:
            raise BackendError(
                f"supervisord refused {method}: {error.faultString}.", code="SUPERVISOR_REFUSED"
            ) from error
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            message = f"supervisord does not answer at {self._path}: {error}."
            raise BackendError(message, code="SUPERVISOR_DOWN", retryable=True) from error

    def alive(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self.call("getState"))
        except BackendError:
            return False


def crashes(log: Path, asked: Mapping[str, str]) -> dict[str, list[Crash]]:
    """Every unexpected end since the service was asked for (ISO 8601 by name), by service, oldest first.

    The log's lines are stable ("exited: weed (terminated by SIGKILL; not expected)") and its times are local.
    """
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    found: dict[str, list[Crash]] = {}
    for match in _EXITED.finditer(text):
        time = datetime.strptime(match["time"], "%Y-%m-%d %H:%M:%S").astimezone(UTC)
        since = asked.get(match["name"])
        if since is None or time >= datetime.fromisoformat(since).replace(microsecond=0):
            found.setdefault(match["name"], []).append(Crash(time, match["how"]))
    return found


def is_loop(past: list[Crash], now: datetime) -> bool:
    """Whether the crashes of the last two minutes are a loop: three or more."""
    return sum(crash.time > now - timedelta(minutes=2) for crash in past) >= 3


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ARG002 - the base class's signature
        return UnixConnection(self._path, timeout=CALL_TIMEOUT)

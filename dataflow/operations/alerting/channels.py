"""Who is told of alerts where there is no Alertmanager: the file, the desktop, a webhook, people by mail."""

from __future__ import annotations

import logging
import shutil
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

from dataflow.config.settings import AlertSettings
from dataflow.operations.alerting.notices import Notice, append, message_of
from dataflow.system.process import run

_log = logging.getLogger(__name__)
_TIMEOUT = 10.0
_ATTEMPTS = 3
WEBHOOK = "DATAFLOW_ALERTS_WEBHOOK_URL"
PASSWORD = "DATAFLOW_ALERTS_SMTP_PASSWORD"  # noqa: S105 - the variable's name

Channel = Callable[[Sequence[Notice]], None]


class Teller:
    """Tells all channels side by side. One that fails is tried three times, and then the log says so."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(channels)), thread_name_prefix="tell")

    def tell(self, notices: Sequence[Notice]) -> list[Future[None]]:
        """Begin to tell; nothing where there is nothing to say."""
        found: list[Future[None]] = []
        for name, channel in self._channels.items() if notices else ():
            future = self._pool.submit(_persistently, channel, notices)
            future.add_done_callback(lambda done, name=name: _look(name, done))
            found.append(future)
        return found


def _persistently(channel: Channel, notices: Sequence[Notice]) -> None:
    import tenacity

    tenacity.retry(stop=tenacity.stop_after_attempt(_ATTEMPTS), wait=tenacity.wait_exponential(0.5), reraise=True)(
        channel
    )(notices)


def _look(name: str, done: Future[None]) -> None:
    if error := done.exception():
        _log.error("alerts could not be told by %s: %s", name, str(error) or type(error).__name__)


def channels(settings: AlertSettings, env: Mapping[str, str], file: Path) -> dict[str, Channel]:
    """The channels that the settings ask for, by name."""
    found: dict[str, Channel] = {}
    if settings.file:
        found["file"] = lambda notices: append(file, notices)
    if settings.desktop:
        found["desktop"] = on_desktop
    if url := env.get(WEBHOOK):
        found["webhook"] = lambda notices: post(url, notices)
    if settings.email_to and settings.smtp:
        found["mail"] = lambda notices: mail(settings, env.get(PASSWORD, ""), notices)
    return found


def on_desktop(notices: Sequence[Notice]) -> None:
    """A notification for each, by whichever program the desktop has. Raises MissingError PROGRAM_MISSING."""
    for notice in notices:
        title = f"{notice.alert}: {notice.status}"
        if shutil.which("osascript"):
            script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
            run(["osascript", "-e", script, title, notice.summary], timeout=_TIMEOUT)
        else:
            run(["notify-send", "--app-name=dataflow", "--", title, notice.summary], timeout=_TIMEOUT)


def post(url: str, notices: Sequence[Notice]) -> None:
    """Post them in Alertmanager's format. Raises httpx.HTTPError, whose words do not hold the URL's path."""
    import httpx

    answer = httpx.post(url, json=message_of(notices), timeout=_TIMEOUT)
    if answer.is_error:
        host = answer.request.url.host
        raise httpx.HTTPError(f"{host} answered {answer.status_code}")  # the whole URL may be a secret


def mail(settings: AlertSettings, password: str, notices: Sequence[Notice]) -> None:
    """One mail about all. Raises smtplib.SMTPException, OSError."""
    message = EmailMessage()
    message["Subject"] = _subject(notices)
    message["From"] = settings.email_from or settings.email_to[0]
    message["To"] = ", ".join(settings.email_to)
    message.set_content("\n\n".join(f"{n.status}: {n.summary}\n  {n.action}" for n in notices))
    host, _, port = (settings.smtp or "").rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=_TIMEOUT) as server:
        if settings.smtp_tls:
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            server.login(settings.smtp_user, password)
        server.send_message(message)


def _subject(notices: Sequence[Notice]) -> str:
    firing = [notice for notice in notices if notice.status == "firing"]
    words = ", ".join(dict.fromkeys(notice.alert for notice in firing or notices))
    return f"[dataflow] {'firing' if firing else 'resolved'}: {words}".replace("\n", " ")

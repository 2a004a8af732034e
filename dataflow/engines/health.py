"""Ask services whether they work: a service is healthy when what users use answers."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dataflow.config.services import ServiceSpec
from dataflow.models import Health
from dataflow.system.http import ask
from dataflow.system.ports import answers

TIMEOUT = 3.0

Fill = Callable[[str, str], str]
"""Replaces the `{{…}}` of a text for a service: (service, text) -> text."""


@dataclass(frozen=True, slots=True)
class Probed:
    """One service's health, with the words of what was seen."""

    health: Health
    detail: str = ""


def probe_all(
    specs: Mapping[str, ServiceSpec], running: set[str], fill: Fill, timeout: float = TIMEOUT
) -> dict[str, Probed]:
    """The health of every running service, asked at the same time. Services that do not run have none."""
    asked = [spec for name, spec in specs.items() if name in running]
    if not asked:
        return {}
    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        results = pool.map(lambda spec: probe(spec, running, fill, timeout), asked)
        return {spec.name: result for spec, result in zip(asked, results, strict=True)}


def probe(spec: ServiceSpec, running: set[str], fill: Fill, timeout: float = TIMEOUT) -> Probed:
    """The health of one service that runs."""
    check = spec.health
    if check.through and check.through not in running:
        return Probed("unknown", f"is asked through {check.through}, which does not run")
    if check.url:
        body = json.loads(check.body) if check.body else None
        return ask_health(fill(spec.name, check.url), body, check.reject, timeout)
    if check.tcp:
        port = int(fill(spec.name, "{{" + check.tcp + "}}"))
        return Probed("healthy") if answers(port) else Probed("unhealthy", f"port {port} does not answer")
    return Probed("none")


def ask_health(url: str, body: object, reject: str | None, timeout: float) -> Probed:
    """What an HTTP answer says: healthy where its status is good and nothing in it matches `reject`."""
    try:
        answer = ask(url, body=body, timeout=timeout)
    except (OSError, http.client.HTTPException) as error:
        return Probed("unhealthy", f"{url}: {error or type(error).__name__}")
    if not 200 <= answer.status < 300:
        return Probed("unhealthy", f"{url} answered {answer.status}")
    found = re.search(reject, answer.text) if reject else None
    return Probed("unhealthy", f"{url} answered {found[0]}") if found else Probed("healthy")

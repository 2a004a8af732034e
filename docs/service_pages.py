# noqa: INP001 - a script beside the pages, not a package
"""A page for each service, from its compose.yaml and the sentences that people wrote for it in words.toml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from dataflow.config import assets
from dataflow.config.catalog import load_services
from dataflow.config.paths import ProjectPaths
from dataflow.config.services import ALL_PROFILES, ServiceSpec

Words = dict[str, dict[str, str]]
_DEFAULTS = re.compile(r"\$\{\w+(?::-([^{}]*)|:\?[^{}]*)?\}")
_TOOLKIT = "dataflow-toolkit"


def services() -> tuple[ServiceSpec, ...]:
    """Every service that the toolkit ships, by folder."""
    return load_services(ProjectPaths(assets.path("compose").parent))


def texts(words: Words) -> dict[str, str]:
    """The page of every service, by its folder's name."""
    return {spec.folder.name: _page(spec, words[spec.folder.name]) for spec in services()}


def overview() -> list[tuple[str, ...]]:
    """A row for each: the service with a link, what it is, profile, engines, ports."""
    return [
        (
            f"[`{spec.name}`](../services/{spec.folder.name}.md)",
            spec.label,
            ", ".join(spec.profiles),
            spec.engine or "both",
            f"{spec.main_port} {spec.ports[spec.main_port]}" if spec.main_port else "",
        )
        for spec in services()
    ]


def _page(spec: ServiceSpec, words: dict[str, str]) -> str:
    rows = [(name, value) for name, value in _facts(spec, _container(spec)) if value]
    table = "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])
    title = f"# {spec.label}"
    named = f"The service `{spec.name}`" + (f", from `compose/services/{spec.folder.name}`." if spec.folder else ".")
    parts = [title, words["about"], named, table, "## Data", words["data"], "## Change it", words["change"]]
    return "\n\n".join(part.strip() for part in parts)


def _container(spec: ServiceSpec) -> dict[str, Any]:
    """The Compose half with what it extends; of a service of several halves the mounted one."""
    half = yaml.safe_load((spec.folder / "compose.yaml").read_text(encoding="utf-8")).get("services", {})
    return _extended(half.get(spec.name, {}), spec.folder)


def _extended(service: dict[str, Any], folder: Path) -> dict[str, Any]:
    if "extends" not in service:
        return service
    file = folder / _filled(service["extends"].get("file", "common.yaml")).replace("${DATAFLOW_CODE}", "mounted")
    base = yaml.safe_load(file.read_text(encoding="utf-8"))["services"][service["extends"]["service"]]
    below = _extended(base, file.parent)
    return {**below, **service, "volumes": [*below.get("volumes", ()), *service.get("volumes", ())]}


def _facts(spec: ServiceSpec, container: dict[str, Any]) -> list[tuple[str, str]]:
    image = _filled(str(container.get("image", "")))
    built = "built here from `compose/services/dagster-code/Dockerfile`"
    profiles = ", ".join(f"`{name}`" for name in dict.fromkeys((*spec.profiles, ALL_PROFILES)))
    volumes = (_filled(volume).replace("../../", "") for volume in container.get("volumes", ()))
    kept = {"none": "", "files": "yes", "objects": "every object", "postgres": "every database"}
    return [
        ("Engine", f"only {spec.engine}" if spec.engine else "native, docker"),
        ("Profile", profiles),
        ("Selected by", ", ".join(f'`{key} = "{value}"`' for key, value in spec.when.items())),
        ("Kind", "a job: it runs once and ends" if spec.job else "a service: restarted after a crash"),
        ("Depends on", ", ".join(f"`{name}`" for name in spec.depends)),
        ("Ports", "<br>".join(_ports(spec))),
        ("In a backup", kept[spec.backup]),
        ("Metrics", f"`{spec.metrics}`" if spec.metrics else ""),
        ("Native: program", f"`{spec.native.program}`" if spec.native else ""),
        ("Native: healthy when", _health(spec) if spec.native else ""),
        ("Docker: image", built if image.startswith(_TOOLKIT) else image and f"`{image}`"),
        ("Docker: health check", _check(container)),
        ("Docker: memory limit", _filled(str(container.get("mem_limit", "")))),
        ("Docker: user", _filled(str(container.get("user", ""))).replace("10001:10001", "you")),
        ("Docker: root file system", "read-only" if container.get("read_only") else ""),
        ("Docker: mounts", "<br>".join(f"`{volume}`" for volume in volumes)),
    ]


def _ports(spec: ServiceSpec) -> list[str]:
    published = spec.container.published if spec.container else {}
    return [
        f"{port}: `127.0.0.1:{number}` or the next free{'' if port in published else '; only natively'}"
        for port, number in spec.ports.items()
        if port in published or (spec.native and port == spec.main_port)
    ]


def _health(spec: ServiceSpec) -> str:
    probe = spec.health
    if probe.url:
        url = re.sub(r"\{\{([\w.-]+)\}\}", r"<\1>", probe.url)
        asked = "the GraphQL query in its file" if probe.body else "a GET"
        return f"`{url}` answers {asked} as it should"
    return f"its port {probe.tcp} accepts connections" if probe.tcp else ""


def _check(container: dict[str, Any]) -> str:
    test = container.get("healthcheck", {}).get("test")
    if not test:
        return ""
    text = " ".join(test[1:])
    return f"`{text if len(text) < 90 else text[:86] + ' …'}`".replace("|", "\\|")


def _filled(text: str) -> str:
    """A text of a Compose file with the defaults of its variables."""
    return _DEFAULTS.sub(lambda found: found[1] or "", text)

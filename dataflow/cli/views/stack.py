"""The platform's comings and goings, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import size, state, table

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.models import ServiceStatus
    from dataflow.operations.down import DownResult
    from dataflow.operations.lifecycle import LifecycleResult
    from dataflow.operations.up import UpResult
    from dataflow.operations.visit import Page


_STEPS = ("pull", "build", "create", "start", "healthy")


def show_up(console: Console, result: UpResult) -> None:
    """What is up and where; after a dry run, what would be done and why."""
    if result.dry_run:
        if result.images:
            rows = [(image.image, image.verb, image.cause) for image in result.images]
            table(console, ["IMAGE", "WOULD", "BECAUSE"], rows)
        table(console, ["SERVICE", "WOULD", "BECAUSE"], [(a.service, a.verb, a.cause) for a in result.actions])
        return
    changed = any(action.verb not in {"keep", "skip"} for action in result.actions)
    word = f"is up after {result.seconds:.1f} s" if changed else "was up already"
    console.print(f"{result.project} {word} ({result.engine.name} engine).")
    if changed:
        _show_profile(console, result)
    for service in result.services:
        if service.url and service.state == "running":
            console.print(f"  {service.label}: {service.url}")
    console.print("See `dataflow status`; stop with `dataflow down`.")


def _show_profile(console: Console, result: UpResult) -> None:
    """Seconds for each step of each service, as far as it had them; which services the whole waited for."""
    steps = [step for step in _STEPS if any(getattr(one, step) is not None for one in result.profile)]
    rows = [
        (one.service, *(_seconds(getattr(one, step)) for step in steps), _seconds(one.ready))
        for one in sorted(result.profile, key=lambda one: one.ready or 0.0)
    ]
    table(console, ["SERVICE", *(f"#{step.upper()}" for step in steps), "#READY AT"], rows)
    if len(result.critical_path) > 1:
        console.print(f"The longest wait: {' -> '.join(result.critical_path)}.")


def _seconds(number: float | None) -> str:
    return "" if number is None else f"{number:.1f} s"


def show_down(console: Console, result: DownResult) -> None:
    """What ended."""
    if result.backup:
        console.print(f"Everything was backed up: {result.backup}. See `dataflow backup list`.")
    if not result.ended:
        console.print(f"{result.project} was not up.")
        return
    what = "containers" if result.engine == "docker" else "processes"
    runs = f", {len(result.cancelled_runs)} runs cancelled" if result.cancelled_runs else ""
    console.print(f"{result.project} is down after {result.seconds:.1f} s: {result.ended} {what} ended{runs}.")


def show_services(console: Console, result: LifecycleResult) -> None:
    """The services that were touched."""
    rows = [(s.name, state(condition(s)), size(s.memory), s.url or "") for s in result.services]
    table(console, ["SERVICE", "STATE", "#MEMORY", "URL"], rows)


def condition(service: ServiceStatus) -> str:
    """State and health in one word: how a running service feels, or that it does not run."""
    told = service.state == "running" and service.health not in {"none", "unknown"}
    return service.health if told else service.state


def show_page(console: Console, page: Page) -> None:
    """Where it is."""
    console.print(page.url, soft_wrap=True)

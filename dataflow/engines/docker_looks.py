"""Looking at a project's containers, and doing something to several of them at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from dataflow.config.catalog import Catalog
from dataflow.config.settings import Loaded
from dataflow.engines import docker_failures, stack, volumes
from dataflow.engines.base import Examined
from dataflow.engines.daemon import Daemon
from dataflow.engines.docker_project import DockerProject
from dataflow.engines.facts import ContainerFacts, killed_for_memory
from dataflow.events import Report, StepChanged


def containers(daemon: Daemon, project: str) -> dict[str, ContainerFacts]:
    """The container of each service, whoever started it. Raises MissingError ENGINE_DOWN."""
    return {facts.service: facts for facts in daemon.project(project)}


def judged(daemon: Daemon, project: str) -> dict[str, ContainerFacts]:
    """The containers; of those that were started again also whether they were killed for memory."""
    found = containers(daemon, project)
    if not any(facts.restarts and not facts.out_of_memory for facts in found.values()):
        return found
    killed = killed_for_memory(daemon.endings(project))
    return {
        name: replace(facts, out_of_memory=True) if facts.restarts and facts.id in killed else facts
        for name, facts in found.items()
    }


def examined(
    daemon: Daemon, project: DockerProject, known: stack.Stack, loaded: Loaded, catalog: Catalog
) -> dict[str, Examined]:
    """What the containers tell, and whether the volume of Postgres fits the settings of now."""
    own = loaded.settings.services.get(volumes.SERVICE)
    half = catalog[volumes.SERVICE].container if volumes.SERVICE in catalog else None
    image = (own and own.image) or (half.default_image if half else "")
    misfit = volumes.remembered_misfit(daemon, project, known, image)
    return docker_failures.examined(judged(daemon, project.name), misfit)


def each(
    found: Mapping[str, ContainerFacts],
    names: Sequence[str],
    words: tuple[str, str],
    work: Callable[[ContainerFacts], None],
    report: Report,
) -> None:
    """Do something to the containers of services, all at the same time. `words`: what is being done, and what was."""
    chosen = [found[name] for name in names if name in found]
    doing, done = words

    def one(facts: ContainerFacts) -> None:
        report(StepChanged(facts.service, "started", doing))
        began = time.monotonic()
        work(facts)
        report(StepChanged(facts.service, "done", done, time.monotonic() - began))

    if chosen:
        with ThreadPoolExecutor(max_workers=len(chosen)) as pool:
            list(pool.map(one, chosen))

"""The Docker Engine's API through the Docker SDK's low-level client: typed, read-mostly, its errors made ours.

Which engine is asked follows the Docker command line: DOCKER_HOST, else DOCKER_CONTEXT or the current context. Short
questions to an engine on this machine's socket go over the standard library: loading the SDK takes longer than all
that `dataflow status` asks.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dataflow.engines.facts import ContainerFacts, facts_of
from dataflow.errors import Action, BackendError, MissingError
from dataflow.system.files import mapped_os_errors
from dataflow.system.http import UnixConnection

if TYPE_CHECKING:
    from docker import APIClient

PROJECT_LABEL = "com.docker.compose.project"
_DEFAULT = "unix:///var/run/docker.sock"
_GONE = 404
_BAD = 400
TIMEOUT = 20.0
"""Seconds until an engine that does not answer is said to be down."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which engine: its address, and the name of the context that it comes from."""

    host: str
    context: str

    def __str__(self) -> str:
        return f"{self.host} ({self.context})"


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume; `key` is its name in the Compose files. `created` tells it from a later one of the same name."""

    name: str
    key: str
    created: str


class Daemon:
    """One engine. Methods raise MissingError ENGINE_DOWN where it does not answer, BackendError ENGINE_REFUSED else."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout

    @cached_property
    def endpoint(self) -> Endpoint:
        """Where the engine is; resolved as the Docker command line does."""
        if host := os.environ.get("DOCKER_HOST"):
            return Endpoint(host, "DOCKER_HOST")
        name = _current_context()
        if name in {"", "default"}:
            return Endpoint(_DEFAULT, "context default")
        from docker.context import ContextAPI
        from docker.errors import DockerException

        with contextlib.suppress(DockerException):
            if context := ContextAPI.get_context(name):
                return Endpoint(str(context.Host), f"context {name}")
        actions = (Action("See those there are", "docker context ls"),)
        raise MissingError(f"There is no Docker context '{name}'.", code="ENGINE_DOWN", actions=actions)

    @cached_property
    def api(self) -> APIClient:
        """The client, which has asked the engine for its version."""
        with self._errors():
            from docker import DockerClient

            return DockerClient.from_env(timeout=max(1, int(self._timeout)), use_ssh_client=True).api

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            return bool(self.version())
        except MissingError:
            return False

    def info(self) -> dict[str, Any]:
        """What the engine says of itself and its machine."""
        return self._get("/info")

    def version(self) -> dict[str, Any]:
        """Its version, and the API's."""
        return self._get("/version")

    def project(self, name: str) -> list[ContainerFacts]:
        """Every container of a Compose project, running or not, but for one-off ones."""
        found = (self.container(summary["Id"]) for summary in self.summaries(name))
        return [facts for facts in found if facts]  # some may have gone since

    def summaries(self, project: str | None = None) -> list[dict[str, Any]]:
        """A summary of every container of a Compose project, or of the engine, whoever made it."""
        labels = [f"{PROJECT_LABEL}={project}", "com.docker.compose.oneoff=False"] if project else []
        return self._get("/containers/json", all="1", filters=json.dumps({"label": labels})) or []

    def container(self, name: str) -> ContainerFacts | None:
        """One container by its name or id."""
        found = self._get(f"/containers/{name}/json")
        return facts_of(found) if found else None

    def stats(self, container: str) -> dict[str, Any]:
        """One sample, at once. Empty where the container has gone."""
        return self._get(f"/containers/{container}/stats", stream="false", **{"one-shot": "true"}) or {}

    def endings(self, project: str) -> list[dict[str, Any]]:
        """How containers of a Compose project ended of late (`oom`, `die`), oldest first; the engine forgets soon."""
        asked = {"type": ["container"], "event": ["oom", "die"], "label": [f"{PROJECT_LABEL}={project}"]}
        query = urlencode({"since": "0", "until": f"{time.time():.6f}", "filters": json.dumps(asked)})
        status, body = self._ask("GET", f"/events?{query}")
        return [] if status >= _BAD else [json.loads(line) for line in body.splitlines()]

    def images(self) -> dict[str, str]:
        """The id of every image by each of its names."""
        return {tag: image["Id"] for image in self._get("/images/json") for tag in image.get("RepoTags") or ()}

    def digests(self, reference: str) -> tuple[str, ...]:
        """The digests under which registries know an image; none for one that was built here."""
        with self._errors():
            try:
                return tuple(self.api.inspect_image(reference).get("RepoDigests") or ())
            except self._not_found:
                return ()

    def remote_digest(self, reference: str) -> str | None:
        """The digest that the registry has under a name; None where it does not answer."""
        with self._errors():
            try:
                return str(self.api.inspect_distribution(reference)["Descriptor"]["digest"])
            except (self._api_error, KeyError):
                return None

    def tag(self, image: str, repository: str, tag: str) -> None:
        """Give an image one more name."""
        with self._errors():
            self.api.tag(image, repository, tag)

    def untag(self, reference: str) -> None:
        """Take a name away, and the image with it where that was the last."""
        with self._errors(), contextlib.suppress(self._not_found):
            self.api.remove_image(reference)

    def pull(self, reference: str) -> Iterator[dict[str, Any]]:
        """Fetch an image; yields the engine's progress lines. Raises BackendError IMAGE_MISSING with the reason."""
        from docker.utils import parse_repository_tag

        repository, tag = parse_repository_tag(reference)
        with self._errors():
            try:
                for line in self.api.pull(repository, tag=tag or "latest", stream=True, decode=True):
                    if "error" in line:
                        raise BackendError(_short(str(line["error"])), code="IMAGE_MISSING")
                    yield line
            except self._api_error as error:
                raise BackendError(_short(str(error.explanation)), code="IMAGE_MISSING") from error

    def sees(self, path: Path) -> bool:
        """Whether the engine's machine has this very file: it refuses a mount of what it does not see.

        Nothing is made: the mount is checked before the image, and there is no such image.
        """
        mount = {"Type": "bind", "Source": str(path), "Target": "/probe", "ReadOnly": True}
        body = {"Image": "dataflow.invalid/probe:none", "HostConfig": {"Mounts": [mount]}}
        status, answer = self._ask("POST", "/containers/create", body)
        return status == _GONE or b"does not exist" not in answer

    def volumes(self, project: str) -> dict[str, Volume]:
        """The project's volumes by their names on the engine."""
        labels = json.dumps({"label": [f"{PROJECT_LABEL}={project}"]})
        found = self._get("/volumes", filters=labels).get("Volumes") or ()
        return {
            one["Name"]: Volume(one["Name"], one["Labels"]["com.docker.compose.volume"], one.get("CreatedAt", ""))
            for one in found
        }

    def create_volume(self, name: str, project: str, key: str) -> None:
        """Make an empty volume as Compose would, so that it takes it for its own."""
        labels = {PROJECT_LABEL: project, "com.docker.compose.volume": key}
        with self._errors():
            self.api.create_volume(name, labels=labels)

    def remove_volume(self, name: str) -> None:
        """Remove a volume and what is in it."""
        with self._errors(), contextlib.suppress(self._not_found):
            self.api.remove_volume(name)

    def start(self, container: str) -> None:
        """Start a container; nothing where it runs."""
        with self._errors():
            self.api.start(container)

    def unpause(self, container: str) -> None:
        """Let a paused container go on."""
        with self._errors():
            self.api.unpause(container)

    def stop(self, container: str) -> None:
        """Ask a container to end; it is killed after its own grace period."""
        with self._errors(), contextlib.suppress(self._not_found), self._patient():
            self.api.stop(container)

    def remove(self, container: str) -> None:
        """Remove a container, running or not. Its volumes stay."""
        with self._errors(), contextlib.suppress(self._not_found):
            self.api.remove_container(container, force=True)

    def execute(
        self, container: str, command: Sequence[str], *, user: str = "", env: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Run a command in a running container; its exit code and what it printed."""
        with self._errors(), self._patient():
            made = self.api.exec_create(container, list(command), user=user, environment=dict(env or {}))
            output = self.api.exec_start(made["Id"])
            code = self.api.exec_inspect(made["Id"])["ExitCode"]
        return int(code), output.decode("utf-8", errors="replace")

    def run_once(
        self,
        image: str,
        command: Sequence[str],
        *,
        binds: Mapping[str, str],
        user: str | None = None,
        timeout: int = 60,
    ) -> tuple[int, str]:
        """Run a helper container without a network to its end and remove it; its exit code and what it printed."""
        with self.helper(image, binds=binds, entrypoint=command, user=user) as made, self._errors():
            self.api.start(made)
            with self._patient(timeout):
                code = self.api.wait(made, timeout=timeout)["StatusCode"]
            return int(code), self.api.logs(made).decode("utf-8", errors="replace")

    @contextlib.contextmanager
    def helper(
        self,
        image: str,
        *,
        binds: Mapping[str, str],
        entrypoint: Sequence[str] | None = None,
        user: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Generator[str]:
        """A container without a network, made but not started, removed after the block; gives its id.

        `binds` maps a volume or folder to `target[:ro]`.
        """
        with self._errors():
            host = self.api.create_host_config(
                binds=[f"{source}:{target}" for source, target in binds.items()], network_mode="none", init=True
            )
            given = list(entrypoint) if entrypoint else None
            made = self.api.create_container(
                image, entrypoint=given, host_config=host, user=user, environment=dict(env or {})
            )["Id"]
        try:
            yield made
        finally:
            self.remove(made)

    def copy_out(self, container: str, path: str, target: Path) -> None:
        """Write a path of a container, running or not and with its volumes, to a tar file."""
        with self._errors(), mapped_os_errors(target):
            chunks, _ = self.api.get_archive(container, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                for chunk in chunks:
                    file.write(chunk)

    def copy_in(self, container: str, folder: str, source: Path) -> None:
        """Unpack a tar file into a folder of a container."""
        with self._errors(), self._patient(), source.open("rb") as file:
            self.api.put_archive(container, folder, file)

    def log(
        self, container: str, since: float | None = None, until: float | None = None, lines: int | None = None
    ) -> Iterator[bytes]:
        """What a container wrote, each line behind its time; between two times (seconds since 1970), the last lines."""
        with self._errors():
            tail: Any = "all" if lines is None else lines
            with contextlib.suppress(self._not_found):
                yield from self.api.logs(
                    container, tail=tail, since=since, until=until, timestamps=True, stream=True, follow=False
                )

    def follow(self, container: str, *, after: str) -> Iterator[bytes]:
        """What a container writes, each line behind its time, from the time `after` on."""
        since = datetime.fromisoformat(f"{after[:26].rstrip('Z')}+00:00").timestamp()
        with self._errors():
            yield from self.api.logs(container, since=since, timestamps=True, stream=True, follow=True)

    def _get(self, path: str, **query: str) -> Any:
        """What the engine answers to GET; None for what there is not."""
        status, body = self._ask("GET", f"{path}?{urlencode(query)}" if query else path)
        data = json.loads(body) if body else None
        if status == _GONE:
            return None
        if status >= _BAD:
            raise BackendError(f"The Docker Engine refused: {data}.", code="ENGINE_REFUSED")
        return data

    def _ask(self, method: str, target: str, body: Any = None) -> tuple[int, bytes]:
        local = self.endpoint.host.removeprefix("unix://")
        if local != self.endpoint.host:
            return self._over_socket(Path(local), method, target, body)
        with self._errors():
            # The client is a session of `requests` that knows how to reach the engine.
            answer = self.api.request(method, f"{self.api.base_url}{target}", json=body, timeout=self._timeout)
            return answer.status_code, answer.content

    def _over_socket(self, path: Path, method: str, target: str, body: Any) -> tuple[int, bytes]:
        connection = UnixConnection(path, timeout=self._timeout)
        try:
            connection.request(method, target, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise engine_down(self.endpoint, str(error)) from error
        finally:
            connection.close()

    @property
    def _not_found(self) -> type[Exception]:
        from docker.errors import NotFound

        return NotFound

    @property
    def _api_error(self) -> Any:
        from docker.errors import APIError

        return APIError

    @contextlib.contextmanager
    def _patient(self, seconds: float = 300.0) -> Generator[None]:
        """For a call that takes as long as the container takes."""
        before, self.api.timeout = self.api.timeout, int(seconds)
        try:
            yield
        finally:
            self.api.timeout = before

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        from docker.errors import APIError, DockerException
        from requests.exceptions import RequestException

        try:
            yield
        except APIError as error:
            message = f"The Docker Engine refused: {error.explanation or error}."
            raise BackendError(message, code="ENGINE_REFUSED") from error
        except (DockerException, RequestException, OSError) as error:
            raise engine_down(self.endpoint, str(error)) from error


def _current_context() -> str:
    """The context that is in use: DOCKER_CONTEXT, else what the Docker command line remembers."""
    if named := os.environ.get("DOCKER_CONTEXT"):
        return named
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with contextlib.suppress(OSError, ValueError):
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("currentContext") or "")
    return ""


def _short(words: str) -> str:
    """`Get "https://registry-1.docker.io/v2/": dial tcp: lookup …: no such host` without the way it went."""
    found = re.match(r'Get "https?://([^/"]+)[^"]*": .*: (.+)', words)
    return f"{found[1]}: {found[2]}" if found else words.rstrip(".")


def engine_down(endpoint: Endpoint, reason: str) -> MissingError:
    """The error for an engine that does not answer."""
    hint = "Permission denied: your user may not use its socket." if "Permission denied" in reason else reason[:300]
    actions = (
        Action("Start it (Linux)", "sudo systemctl start docker"),
        Action("Or do without Docker", "dataflow up --engine native"),
    )
    message = f"The Docker Engine does not answer at {endpoint}."
    return MissingError(message, code="ENGINE_DOWN", hint=hint, actions=actions, retryable=True)

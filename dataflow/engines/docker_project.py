"""One project as a Compose project: which files and variables it is made of, and what it looks like resolved."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from dataflow.config import assets, compose
from dataflow.config.catalog import Catalog
from dataflow.config.environment import SECRETS
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import Loaded, leaves, variable_of
from dataflow.engines.compose import Compose, overrides
from dataflow.engines.images import baked_image, toolkit_image
from dataflow.engines.model import Model, inputs_of, load_model, mentions
from dataflow.engines.stack import Stack, digest
from dataflow.models import PortUse

Ports = Mapping[str, tuple[PortUse, ...]]
ROOTLESS = (0, 0)
NOBODY_SPECIAL = (10001, 10001)
"""The user of our own image: what runs in containers where the one who calls us is root."""

_OURS = {
    "DATAFLOW_TOOLKIT_IMAGE": "the toolkit or its libraries",
    "DATAFLOW_BAKED_IMAGE": "the workflows",
    "DATAFLOW_UID": "who runs dataflow",
    "DATAFLOW_GID": "the group of who runs dataflow",
}
_PLUGINS = ("/usr/local/lib/docker", "/usr/local/libexec/docker", "/usr/lib/docker", "/usr/libexec/docker")


class DockerProject:
    """The Compose project of a project's folder."""

    def __init__(self, paths: ProjectPaths, loaded: Loaded, catalog: Catalog) -> None:
        self._paths = paths
        self._loaded = loaded
        self._catalog = catalog
        self.name = compose.project_name(paths, loaded)

    @cached_property
    def toolkit(self) -> str:
        """The image that runs our Python."""
        return toolkit_image(self._paths)

    @cached_property
    def code_image(self) -> str:
        """The image of the services that run the project's code."""
        return baked_image(self._paths, self.toolkit) if self.baked else self.toolkit

    @property
    def baked(self) -> bool:
        """Whether workflows are in the image."""
        return self._loaded.settings.code == "baked"

    @property
    def override(self) -> list[Path]:
        """The user's own changes to the services."""
        return overrides(self._paths.root)

    def variables(self, ports: Ports, user: tuple[int, int], stack: Stack) -> dict[str, str]:
        """What Compose fills in, but for secrets."""
        images = {
            variable_of(f"services.{name}.image"): image for name, image in stack.pins.items() if name in self._catalog
        }
        own = stack.pins.get("toolkit", "")
        return {
            **compose.variables(self._paths, self._loaded, self._catalog, ports),
            **images,
            "DATAFLOW_UID": str(user[0]),
            "DATAFLOW_GID": str(user[1]),
            "DATAFLOW_CODE": self._loaded.settings.code,
            "DATAFLOW_TOOLKIT_IMAGE": own or self.toolkit,
            **({"DATAFLOW_BAKED_IMAGE": own or self.code_image} if self.baked else {}),
            "DATAFLOW_WORKFLOW_ENV": str(self._paths.workflow_env),
            **({"DATAFLOW_GENERATION": stack.generation} if stack.generation else {}),
        }

    @property
    def password(self) -> str:
        """Postgres's."""
        return self.environment({})["DATAFLOW_POSTGRES_PASSWORD"]

    def volume(self, key: str, stack: Stack) -> str:
        """The name on the engine of a volume with data."""
        return f"{self.name}_{key}{stack.generation}"

    @contextmanager
    def opened(self, variables: Mapping[str, str], *, write: bool) -> Generator[tuple[Compose, Model]]:
        """Compose for this project, and the project resolved. Without `write` nothing of the project is touched.

        Raises:
            ConfigurationError: COMPOSE_INVALID.
        """
        if write:
            yield self._opened(self._paths.compose, self._paths.workflow_env, variables)
            return
        with tempfile.TemporaryDirectory() as folder:
            yield self._opened(Path(folder) / "compose.yaml", Path(folder) / "workflow.env", variables)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment of a call of Compose. A dry run before the first `up` has no secrets yet."""
        made_later = dict.fromkeys(SECRETS, "made-by-up")
        return {**made_later, **self._loaded.env, **os.environ, **variables}

    def sources(self, changed: set[str], name: str) -> list[str]:
        """Which of the changed variables and files the service's files speak of, in the user's words."""
        spec = self._catalog.get(name)
        texts = {
            path: text for path, text in self._texts().items() if spec is None or self._concerns(path, spec.folder)
        }
        keys = {variable_of(key): key for key in leaves()}
        mentioned = {variable for text in texts.values() for variable in mentions(text)}
        found = [_setting(variable, keys) for variable in sorted(changed & mentioned)]
        return [*found, *(path.name for path in texts if str(path) in changed and path in self.override)]

    def inputs(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Digests of all that the project is made of, by variable and file."""
        found = inputs_of(self._texts(), self.environment(variables))
        env_file = compose.workflow_variables(self._paths, self._loaded)
        return {**found, "workflow.env": digest(repr(env_file)), "compose": _compose_build(), **self._unseen()}

    def _opened(self, file: Path, env_file: Path, variables: Mapping[str, str]) -> tuple[Compose, Model]:
        compose.write_files(file, env_file, self._paths, self._loaded, self._catalog)
        env = {**self.environment(variables), "DATAFLOW_WORKFLOW_ENV": str(env_file)}
        caller = Compose(self._paths.root, [file, *self.override], self.name, env)
        return caller, load_model(caller, self._paths.run / "compose.json", self.inputs(variables))

    def _texts(self) -> dict[Path, str]:
        shared = assets.path("compose")
        files = [spec.folder / "compose.yaml" for spec in self._catalog.values() if spec.container]
        files += [shared / "common.yaml", *sorted((shared / "dagster").glob("*.yaml")), *self.override]
        return {file: file.read_text(encoding="utf-8") for file in files}

    def _concerns(self, path: Path, folder: Path) -> bool:
        """Whether a file has a say in the service of a folder."""
        if path.parent == folder or path in self.override or path.name == "common.yaml":
            return True
        return path.parent.name == "dagster" and folder.name.startswith("dagster-")

    def _unseen(self) -> dict[str, str]:
        """Where the user's files lead to others that we do not read, nothing may be remembered."""
        own = [file.read_text(encoding="utf-8") for file in self.override]
        leads = any(word in text for text in own for word in ("include:", "extends:", "env_file:"))
        return {"unseen": os.urandom(8).hex()} if leads else {}


def container_user(security: list[str]) -> tuple[int, int]:
    """Who the containers that write into the project's folder are: whoever calls us, and never root.

    A rootless engine maps its root to the caller. `security` is what the engine says of itself.
    """
    if any("rootless" in option for option in security):
        return ROOTLESS
    return (os.getuid(), os.getgid()) if os.getuid() else NOBODY_SPECIAL


def _setting(variable: str, keys: Mapping[str, str]) -> str:
    """services.loki.memory for DATAFLOW_SERVICES_LOKI_MEMORY; variables that are no setting stay as they are."""
    known = _OURS.get(variable) or keys.get(variable)
    if known:
        return known
    rest = variable.removeprefix("DATAFLOW_SERVICES_")
    service, _, field = rest.rpartition("_")
    return f"services.{service.lower().replace('_', '-')}.{field.lower()}" if rest != variable and service else variable


def _compose_build() -> str:
    """Tells one installed Compose from another: each may count a service's digest in its own way."""
    folders = [Path.home() / ".docker", *map(Path, _PLUGINS)]
    files = (folder / "cli-plugins" / "docker-compose" for folder in folders)
    return digest(repr([(str(file), file.stat().st_mtime_ns) for file in files if file.is_file()]))

"""Where a project keeps what: one place for every path under it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dataflow.errors import Action, MissingError

CONFIG_FILE = "dataflow.toml"


@dataclass(frozen=True, slots=True)
class ProjectPaths:
    """The files and folders of the project at `root` (absolute). `stack_file`: another one, while a restore tries."""

    root: Path
    stack_file: Path | None = None

    @property
    def config(self) -> Path:
        """dataflow.toml: the platform."""
        return self.root / CONFIG_FILE

    @property
    def env(self) -> Path:
        """.env: secrets and values of this machine, never committed."""
        return self.root / ".env"

    @property
    def workflows(self) -> Path:
        """One folder per workflow."""
        return self.root / "workflows"

    @property
    def services(self) -> Path:
        """Services the project adds to the shipped ones."""
        return self.root / "compose" / "services"

    @property
    def state(self) -> Path:
        """Everything that is made at run time, never committed."""
        return self.root / ".dataflow"

    @property
    def stack(self) -> Path:
        """stack.json: durable choices (ports, engine)."""
        return self.stack_file or self.state / "stack.json"

    @property
    def run(self) -> Path:
        """Sockets, pids and caches: may be deleted when nothing runs."""
        return self.state / "run"

    @property
    def schemas(self) -> Path:
        """The JSON Schema of each workflow's config.yaml, for editors."""
        return self.state / "schemas"

    @property
    def logs(self) -> Path:
        """One log file per service, and runs/ with one per run."""
        return self.state / "logs"

    @property
    def run_logs(self) -> Path:
        """One JSON-lines file per workflow run."""
        return self.logs / "runs"

    @property
    def backfills(self) -> Path:
        """One JSON file per backfill: what was asked for."""
        return self.state / "backfills"

    @property
    def workers(self) -> Path:
        """One record per living run process."""
        return self.run / "workers"

    @property
    def objects(self) -> Path:
        """The native object store's files."""
        return self.state / "objects"

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME: run history, schedules, event logs."""
        return self.state / "dagster"

    @property
    def compose(self) -> Path:
        """The generated Compose file, which includes the folders of the services."""
        return self.state / "compose.yaml"

    @property
    def workflow_env(self) -> Path:
        """The variables that workflow code in containers sees."""
        return self.state / "workflow.env"

    @property
    def backups(self) -> Path:
        """One folder per backup."""
        return self.state / "backups"

    @property
    def restoring(self) -> Path:
        """What a restore has made so far; it is not there otherwise."""
        return self.state / "restoring"

    @property
    def audit(self) -> Path:
        """audit.jsonl: one line per command that changed something."""
        return self.state / "audit.jsonl"

    @property
    def stack_id(self) -> str:
        """A name for this project's platform on this machine, the same at every call."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:12]


def find_project(start: Path) -> ProjectPaths:
    """The project that `start` lies in. Raises MissingError NO_PROJECT."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file():
            return ProjectPaths(folder)
    message = f"No project here: neither {start} nor a folder above it has a {CONFIG_FILE}."
    actions = (
        Action("Make one here", "dataflow init ."),
        Action("Or name one that exists", "dataflow --project-dir DIR status"),
    )
    raise MissingError(message, code="NO_PROJECT", actions=actions)

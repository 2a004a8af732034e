"""The bridge from a workflow's dbt project to Dagster: `dbt_models(folder, workflow=…)` is all a workflow writes.

dbt's parsed project (manifest.json, partial_parse.msgpack) is kept under `<state>/dbt/<workflow>/parsed/<key>/`. The
key is a hash of everything that goes into it, so it is made once per change, and any process may make it: the folder
appears by one rename. Each run gets its own target folder, so that two runs never write the same file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.errors import Action, ConfigurationError, MissingError, OperationFailedError, Place
from dataflow.shared.environment import required
from dataflow.system.files import exclusive, mapped_os_errors
from dataflow.system.process import Completed, find_program, run

if TYPE_CHECKING:
    import dagster as dg

MANIFEST = "manifest.json"
PARTIAL_PARSE = "partial_parse.msgpack"
KEPT = 5  # parsed projects and run folders that stay; older ones go
FOLDER_TAG, VARIABLES_TAG = "dataflow/dbt-folder", "dataflow/dbt-vars"  # on the step, where `dataflow dbt` finds them
PARSE_SECONDS = 300.0
GENERATED = frozenset({"target", "logs", "__pycache__", ".user.yml"})
QUIET = ("--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check")
STRICT = ("--warn-error-options", '{"error": ["NodeNotFoundOrDisabled"]}')  # a test of a model that is not there

_PARSED = "Errors parsed from dbt logs:"
_FILE = re.compile(r"\(([^()\s]+\.(?:sql|ya?ml|py|csv|md))\)|[\w-]+\.(?:sql|ya?ml)(?= )|(\S+/\S+\.(?:sql|ya?ml))")
_LINE = re.compile(r"\bline (\d+)")


@dataclass(frozen=True, slots=True)
class DbtProject:
    """A dbt project of one workflow: its `folder`, and the values for its `vars`."""

    folder: Path
    workflow: str
    variables: tuple[tuple[str, Any], ...] = ()

    @property
    def state(self) -> Path:
        """Where everything that dbt writes goes: `$DATAFLOW_STATE_DIR/dbt/<workflow>`."""
        return Path(required("DATAFLOW_STATE_DIR")) / "dbt" / self.workflow

    @property
    def vars(self) -> str:
        """The variables as dbt's `--vars` takes them. Parsing and building must use the same, or dbt parses anew."""
        return json.dumps(dict(self.variables), sort_keys=True)

    def paths(self, target: Path) -> tuple[str, ...]:
        """The options that keep dbt's hands off every folder but `target`."""
        folder, into = str(self.folder), str(target)
        return "--project-dir", folder, "--profiles-dir", folder, "--target-path", into, "--log-path", into


def dbt_models(folder: Path, *, workflow: str, variables: Mapping[str, Any] | None = None) -> dg.AssetsDefinition:
    """Build the Dagster assets of the dbt project in `folder`: a model is an asset, its tests are asset checks.

    Keys are `<workflow>/<model>` and `<workflow>/<source table>`, the group is the workflow, and the pool is `duckdb`,
    because DuckDB has one writer. `dbt build` runs models and tests in order, so a failed test stops what follows.

    Args:
        folder: The project: dbt_project.yml and profiles.yml.
        workflow: Its name; prefix of the keys.
        variables: dbt `vars`, for example the time zone from config.yaml.

    Raises:
        ConfigurationError: DBT_INVALID with dbt's own words, file and line; DBT_MISSING; VARIABLE_MISSING.
    """
    from dagster_dbt import dbt_assets
    from dagster_dbt.errors import DagsterDbtCliRuntimeError

    project = DbtProject(folder, workflow, tuple(sorted((variables or {}).items())))
    parsed = prepare(project)

    @dbt_assets(
        manifest=parsed / MANIFEST,
        name=f"{workflow}_dbt",
        pool="duckdb",
        op_tags={FOLDER_TAG: str(folder), VARIABLES_TAG: project.vars},
        dagster_dbt_translator=_translator(workflow),
    )
    def models(context):  # pyright: ignore[reportUnknownParameterType, reportMissingParameterType] - Dagster knows
        target = _run_folder(project, parsed, context.run.run_id)
        arguments = ["build", "--vars", project.vars]
        try:
            yield from _command_line(folder).cli(arguments, context=context, target_path=target).stream()
        except DagsterDbtCliRuntimeError as error:
            raise _failure(project, target, str(error)) from error

    return models


def prepare(project: DbtProject) -> Path:
    """Return the folder that holds the parsed project, after parsing it when something in it changed.

    Raises:
        ConfigurationError: DBT_INVALID, DBT_MISSING, VARIABLE_MISSING.
    """
    if not (project.folder / "dbt_project.yml").is_file():
        message = f"{project.folder} holds no dbt project: dbt_project.yml is missing."
        raise ConfigurationError(message, code="DBT_MISSING", place=Place(project.folder))
    parsed = project.state / "parsed" / fingerprint(project)
    while not parsed.is_dir():
        try:
            with exclusive(project.state / "parsing.lock", what="the parsed dbt project"):
                if not parsed.is_dir():
                    _parse(project, parsed)
        except MissingError as error:
            if error.code != "BUSY":
                raise
            time.sleep(0.1)  # another process parses the same project: its result serves us, too
    return parsed


def _parse(project: DbtProject, into: Path) -> None:
    """Parse into a folder beside, then rename: who sees `into` sees all of it."""
    with mapped_os_errors(into):
        into.parent.mkdir(parents=True, exist_ok=True)
        forget_old(into.parent)
        with tempfile.TemporaryDirectory(dir=into.parent, prefix=".", ignore_cleanup_errors=True) as name:
            target = Path(name) / "target"
            done = _run_parse(project, target)
            if done.code != 0 or not (target / MANIFEST).is_file():
                raise complaint(project.folder, done)
            target.rename(into)


def _run_parse(project: DbtProject, target: Path) -> Completed:
    options = ["--vars", project.vars, *project.paths(target)]
    command = [find_program("dbt") or "dbt", "--log-format", "json", *QUIET, *STRICT, "parse", *options]
    return run(command, cwd=project.folder, timeout=PARSE_SECONDS)


def complaint(folder: Path, done: Completed) -> ConfigurationError:
    """Make dbt's last error ours. dbt writes one JSON object per line, and its place somewhere in the text."""
    text = next(errors_in(done.stdout), "") or done.stderr.strip() or f"dbt ended with exit code {done.code}."
    reason = re.sub(r"\s*\n\s*", " ", text.partition("\n    ---")[0]).strip()
    actions = (Action("Ask dbt itself", f"dbt parse --project-dir {folder} --profiles-dir {folder}"),)
    message = f"The dbt project of '{folder.parent.name}' cannot be parsed: {reason}"
    return ConfigurationError(message, code="DBT_INVALID", place=_place(folder, text), actions=actions)


def _failure(project: DbtProject, target: Path, text: str) -> OperationFailedError:
    """Say which models and tests failed, in dbt's words; the exception's own text begins with the whole command."""
    reason = text.partition(_PARSED)[2] or text
    message = f"dbt could not build '{project.workflow}':\n{reason.strip()}"
    actions = (Action("Read dbt's log", f"less {target / 'dbt.log'}"),)
    return OperationFailedError(message, code="DBT_FAILED", place=_place(project.folder, reason), actions=actions)


def errors_in(output: str) -> Iterator[str]:
    """The texts of the errors in dbt's JSON lines."""
    for line in output.splitlines():
        if line.startswith("{"):
            event = json.loads(line)
            if event["info"]["level"] == "error":
                yield event["data"].get("exc") or event["info"]["msg"]


def _place(folder: Path, text: str) -> Place:
    """Find the file and the line in dbt's words. Without a file it is dbt_project.yml, which dbt then leaves out."""
    found = _FILE.search(text)
    name = next((part for part in (found.groups() if found else ()) if part), found[0] if found else "dbt_project.yml")
    path = folder / name
    if not path.is_file():  # dbt names files of properties without their folder
        path = next(folder.rglob(Path(name).name), folder / "dbt_project.yml")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    line = _LINE.search(text)
    number = int(line[1]) if line else _line_of_name(lines, text)
    number = min(number, len(lines)) if number and lines else None
    return Place(path, number, None, lines[number - 1] if number else None)


def _line_of_name(lines: list[str], text: str) -> int | None:
    """The first line with a name that dbt quotes: of a ref or a source that is not there it tells no line."""
    for name in re.findall(r"'([\w.]+)'", text):
        word = re.compile(rf"\b{re.escape(name.rpartition('.')[2])}\b")
        found = next((number for number, line in enumerate(lines, 1) if word.search(line)), None)
        if found:
            return found
    return None


def fingerprint(project: DbtProject) -> str:
    """Hash whatever the parsed project depends on. The warehouse's path names the database in every relation."""
    digest = hashlib.sha256()
    facts = (version("dbt-core"), version("dbt-duckdb"), *STRICT, project.vars, str(project.folder))
    for fact in (*facts, required("DATAFLOW_WAREHOUSE_PATH")):
        digest.update(fact.encode() + b"\0")
    digest.update(content(project.folder))
    return digest.hexdigest()[:20]


def content(folder: Path) -> bytes:
    """A digest of every file that somebody wrote."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not GENERATED.intersection(inside.parts):
            digest.update(str(inside).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def _run_folder(project: DbtProject, parsed: Path, run_id: str) -> Path:
    """Make this run's target folder and put the parsed project in, which saves dbt from parsing."""
    folder = project.state / "runs" / run_id
    with mapped_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # then dbt parses: slower, not wrong
            shutil.copy(parsed / PARTIAL_PARSE, folder / PARTIAL_PARSE)
        forget_old(folder.parent)
    return folder


def forget_old(parent: Path) -> None:
    """Remove all folders but the newest; runs and parsed projects would pile up for ever."""
    folders = sorted((entry for entry in parent.iterdir() if entry.is_dir()), key=lambda entry: entry.stat().st_mtime)
    for folder in folders[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def _translator(workflow: str) -> Any:
    """Name assets by workflow instead of by dbt schema: the key then says where to look for the code."""
    import dagster as dg
    from dagster_dbt import DagsterDbtTranslator

    class Translator(DagsterDbtTranslator):
        def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
            return dg.AssetKey([workflow, dbt_resource_props["name"]])

        def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:  # noqa: ARG002 - the interface
            return workflow

    return Translator()


def _command_line(folder: Path) -> Any:
    """dagster-dbt's resource without what it does beside running dbt.

    It asks `dbt --version`, which asks the package index for a newer one (1.7 s, and a network), and it opens an
    adapter in our process, which only row counts and column metadata need. The version is known here, and
    having no adapter is a case that dagster-dbt knows from dbt Fusion.
    """
    from dagster_dbt import DbtCliResource
    from packaging.version import Version

    class CommandLine(DbtCliResource):
        @property
        def _cli_version(self) -> Version:  # pyright: ignore[reportIncompatibleVariableOverride] - not asked, known
            return Version(version("dbt-core"))

        def _initialize_dbt_core_adapter(self, args: Any) -> Any:  # noqa: ARG002 - the interface
            return None

    place = str(folder)
    return CommandLine(
        project_dir=place,
        profiles_dir=place,
        dbt_executable=find_program("dbt") or "dbt",
        global_config_flags=["--no-use-colors"],
    )

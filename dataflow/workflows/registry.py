"""`@register_workflow`: how a folder under workflows/ becomes a workflow that Dagster and the CLI know."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.errors import ConfigurationError, Place
from dataflow.models import AssetNode, DbtInfo, Parameter, WorkflowInfo
from dataflow.workflows import partitions
from dataflow.workflows.dbt import FOLDER_TAG, VARIABLES_TAG

if TYPE_CHECKING:
    import dagster as dg
    from pydantic import BaseModel

    from dataflow.workflows.manifest import Manifest, ParameterSpec

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_MARK = "__dataflow_workflow__"

Build = Callable[[], "dg.Definitions"]


@dataclass(frozen=True, slots=True)
class Registration:
    """What `@register_workflow` was told, and where."""

    name: str
    description: str
    tags: tuple[str, ...]
    owner: str | None
    schedule: str | None
    settings: type[BaseModel] | None
    build: Build
    place: Place


def register_workflow(
    *,
    name: str,
    description: str = "",
    tags: tuple[str, ...] | list[str] = (),
    owner: str | None = None,
    schedule: str | None = None,
    settings: type[BaseModel] | None = None,
) -> Callable[[Build], Build]:
    """Mark the function that builds a workflow's Dagster definitions.

    The function takes nothing and returns `dagster.Definitions` with the workflow's assets and checks. The registry
    adds a job called `name` over all of them, the schedule, the resource `<name>_parameters` from config.yaml,
    and the tag `dataflow/workflow`.

    Args:
        name: Lower-case letters, digits and underscores, at most 63; the job in Dagster has the same name.
        description: One sentence for lists; the function's docstring where it is empty.
        tags: Words to filter by.
        owner: Who answers for it, as an e-mail address or a team.
        schedule: A cron expression of five fields, in UTC. A new schedule is off until it is switched on.
        settings: The pydantic model of config.yaml's `settings`; any keys are allowed without one.

    Raises:
        ConfigurationError: WORKFLOW_NAME_ILLEGAL, SCHEDULE_ILLEGAL.
    """

    def mark(build: Build) -> Build:
        code = build.__code__
        place = Place(Path(code.co_filename), code.co_firstlineno)
        if not NAME.fullmatch(name):
            hint = "Use lower-case letters, digits and underscores, starting with a letter, at most 63."
            message = f"'{name}' is not a workflow name."
            raise ConfigurationError(message, code="WORKFLOW_NAME_ILLEGAL", hint=hint, place=_line_of(place, "name="))
        if schedule is not None and not _is_cron(schedule):
            hint = 'Five fields: minute, hour, day, month, weekday. For example "15 6 * * *".'
            message = f"'{schedule}' is not a cron expression."
            raise ConfigurationError(message, code="SCHEDULE_ILLEGAL", hint=hint, place=_line_of(place, "schedule="))
        text = description or (build.__doc__ or "").strip().partition("\n")[0]
        setattr(build, _MARK, Registration(name, text, tuple(tags), owner, schedule, settings, build, place))
        return build

    return mark


def _is_cron(text: str) -> bool:
    from dagster._utils.schedules import is_valid_cron_schedule

    return is_valid_cron_schedule(text)


def _line_of(place: Place, word: str) -> Place:
    """The line of the decorator that begins with `word`; `place` itself is the decorator's first."""
    from dataflow.config.documents import place_at

    text = place.path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines()[(place.line or 1) - 1 :], place.line or 1):
        if line.lstrip().startswith(word):
            return place_at(place.path, text, number, line.index(word) + 1)
        if line.startswith("def "):
            break
    return place_at(place.path, text, place.line or 1, 1)


def registrations_in(module: object) -> list[Registration]:
    """The workflows that `module` registered itself, in the order of its file."""
    found = [getattr(value, _MARK) for value in vars(module).values() if hasattr(value, _MARK)]
    return [item for item in found if item.build.__module__ == getattr(module, "__name__", None)]


def definitions_of(registration: Registration, manifest: Manifest[Any]) -> dg.Definitions:
    """The workflow's definitions with what the registry adds. Runs the user's build function."""
    import dagster as dg

    own = registration.build()
    assets = list(own.assets or [])
    checks = list(own.asset_checks or [])
    name = registration.name
    jobs = list(own.jobs or [])
    if name not in {job.name for job in jobs}:
        jobs.append(_job(registration, assets, checks))
    schedules = list(own.schedules or [])
    if registration.schedule:
        job = next(job for job in jobs if job.name == name)
        schedules.append(_schedule(registration, job, assets))
    resources = dict(own.resources or {})
    if manifest.parameters:
        resources[f"{name}_parameters"] = _parameters_resource(name, manifest.parameters)
    return dg.Definitions(
        assets=assets, asset_checks=checks, jobs=jobs, schedules=schedules, sensors=own.sensors, resources=resources
    )


def _schedule(registration: Registration, job: Any, assets: list[Any]) -> Any:
    """Each tick starts the job; where it has partitions, for the newest one that is whole by then."""
    import dagster as dg

    name = f"{registration.name}_schedule"
    parts = [part for asset in assets if (part := getattr(asset, "partitions_def", None)) is not None]
    if not parts:
        return dg.ScheduleDefinition(name=name, job=job, cron_schedule=registration.schedule)

    def newest(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        with dg.partition_loading_context(context.scheduled_execution_time):
            key = parts[0].get_last_partition_key()
        return dg.RunRequest(partition_key=key) if key else dg.SkipReason("There is no partition yet.")

    return dg.ScheduleDefinition(name=name, job=job, cron_schedule=registration.schedule, execution_fn=newest)


def info_of(registration: Registration, manifest: Manifest[Any], definitions: dg.Definitions) -> WorkflowInfo:
    """What lists and pages show of a workflow."""
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    nodes = [graph.get(key) for key in graph.toposorted_asset_keys if graph.get(key).is_materializable]
    return WorkflowInfo(
        name=registration.name,
        description=registration.description,
        folder=registration.place.path.parent,
        tags=registration.tags,
        owner=registration.owner,
        schedule=registration.schedule,
        requires=manifest.requires,
        secrets=tuple(secret.name for secret in manifest.secrets if secret.required),
        parameters=tuple(
            Parameter(key, spec.type, _plain(spec.default), spec.description)
            for key, spec in manifest.parameters.items()
        ),
        assets=tuple(node.key.to_user_string() for node in nodes),
        checks=tuple(sorted(f"{key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys)),
        graph=tuple(_node(node) for node in nodes),
        together=tuple(
            sorted({names for one in graph.assets_defs if not one.can_subset and len(names := _names(one)) > 1})
        ),
        freshness=_freshness(graph, manifest.fresh_hours),
        partitions=partitions.described(nodes),
        dbt=_dbt(graph),
    )


def _dbt(graph: Any) -> DbtInfo | None:
    for definition in graph.assets_defs:
        tags: dict[str, str] = definition.op.tags if definition.is_executable else {}
        if FOLDER_TAG in tags:
            return DbtInfo(Path(tags[FOLDER_TAG]), tags[VARIABLES_TAG])
    return None


def _names(definition: dg.AssetsDefinition) -> tuple[str, ...]:
    """The assets that a step computes or checks."""
    keys = {*definition.keys, *(key.asset_key for key in definition.check_keys)}
    return tuple(sorted(key.to_user_string() for key in keys))


def _node(node: Any) -> AssetNode:
    return AssetNode(
        key=node.key.to_user_string(),
        upstream=tuple(sorted(parent.to_user_string() for parent in node.parent_keys)),
        group=node.group_name,
        kinds=tuple(sorted(node.kinds)),
        tags=dict(node.tags),
        owners=tuple(node.owners),
    )


def _freshness(graph: Any, fresh_hours: float | None) -> dict[str, float]:
    """Seconds after which each asset is stale: by its own freshness policy, else by the workflow's `fresh_hours`.

    For a deadline by cron: the longest time between two deadlines, and the time by which it may be early.
    """
    from dagster._core.definitions.freshness import CronFreshnessPolicy, TimeWindowFreshnessPolicy

    found: dict[str, float] = {}
    for key in graph.toposorted_asset_keys:
        if fresh_hours and graph.get(key).is_materializable:
            found[key.to_user_string()] = fresh_hours * 3600
        policy = graph.get(key).freshness_policy
        if isinstance(policy, TimeWindowFreshnessPolicy):
            found[key.to_user_string()] = policy.fail_window.to_timedelta().total_seconds()
        elif isinstance(policy, CronFreshnessPolicy):
            longest = _longest_wait(policy.deadline_cron, policy.timezone)
            found[key.to_user_string()] = longest + policy.lower_bound_delta.total_seconds()
    return found


def _longest_wait(cron: str, timezone: str) -> float:
    """Seconds between two times of a cron expression, at the most, of the next hundred."""
    import time
    from itertools import islice, pairwise

    from dagster._utils.schedules import cron_string_iterator

    times = [moment.timestamp() for moment in islice(cron_string_iterator(time.time(), cron, timezone), 100)]
    return max(later - earlier for earlier, later in pairwise(times))


def _plain(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _job(registration: Registration, assets: list[Any], checks: list[Any]) -> Any:
    import dagster as dg

    selection = dg.AssetSelection.assets(*assets) if assets else dg.AssetSelection.all()
    if checks:
        selection |= dg.AssetSelection.checks(*checks)
    tags = {"dataflow/workflow": registration.name}
    return dg.define_asset_job(
        registration.name,
        selection=selection,
        description=registration.description,
        tags=tags,
        run_tags=tags,
        executor_def=dg.in_process_executor,
    )


def _parameters_resource(name: str, specs: dict[str, ParameterSpec]) -> Any:
    """A Dagster resource whose configuration is the manifest's parameters, typed, with their defaults."""
    import dagster as dg
    from pydantic import Field, create_model

    from dataflow.workflows.manifest import PYTHON_TYPES

    fields: dict[str, Any] = {}
    for key, spec in specs.items():
        kind: Any = str if spec.type == "date" else PYTHON_TYPES[spec.type]  # Dagster's config has no dates
        default = _plain(spec.default)
        annotation = kind if default is not None else kind | None
        fields[key] = (annotation, Field(default=default, description=spec.description))
    model: Any = create_model(f"{name.title().replace('_', '')}Parameters", __base__=dg.ConfigurableResource, **fields)
    return model()

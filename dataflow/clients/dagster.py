"""The running Dagster, over GraphQL (1.13: errors may come as HTTP 400 or 500 whose body still tells)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dataflow.clients.runs import EventKind, EventPage, RunEvent, state_of, statuses_of
from dataflow.errors import Action, BackendError, UsageError
from dataflow.models import Run, RunState
from dataflow.system.http import ask_json

LOCATION = "dataflow"
REPOSITORY = "__repository__"
_OWN = "dataflow.errors."
_IMPORTS = 300.0  # seconds the code server may take to import every workflow

RUN_FIELDS = "runId jobName status creationTime startTime endTime tags{key value}"

_RUNS = f"""query($filter: RunsFilter, $limit: Int) {{
  runsOrError(filter: $filter, limit: $limit) {{
    ... on Runs {{ results {{ {RUN_FIELDS} }} }} ... on Error {{ message }}
  }}
}}"""

_KINDS: dict[str, EventKind] = {
    "ExecutionStepStartEvent": "step-started",
    "ExecutionStepSuccessEvent": "step-succeeded",
    "ExecutionStepFailureEvent": "step-failed",
    "ExecutionStepSkippedEvent": "step-skipped",
    "AssetCheckEvaluationEvent": "check",
    "MaterializationEvent": "materialized",
    "LogMessageEvent": "log",
    "RunStartEvent": "run",
    "RunSuccessEvent": "run",
    "RunFailureEvent": "run",
    "RunCanceledEvent": "run",
    "RunCancelingEvent": "run",
}

_EVENTS = """query($id: ID!, $cursor: String) {
  logsForRun(runId: $id, afterCursor: $cursor, limit: 500) {
    __typename
    ... on EventConnection { cursor events {
      __typename
      ... on MessageEvent { timestamp level message stepKey }
      ... on ErrorEvent { error { message causes { message } } }
      ... on AssetCheckEvaluationEvent { evaluation { success severity checkName assetKey { path } } }
    } }
    ... on RunNotFoundError { message }
    ... on PythonError { message }
  }
}"""

_LAUNCHED = """__typename
... on LaunchRunSuccess { run { runId } }
... on RunConfigValidationInvalid { errors { message } }
... on Error { message }"""
_LAUNCH = f"mutation($params: ExecutionParams!) {{ launchRun(executionParams: $params) {{ {_LAUNCHED} }} }}"
_RETRY = f"""mutation($params: ReexecutionParams!) {{
  launchRunReexecution(reexecutionParams: $params) {{ {_LAUNCHED} }}
}}"""

REPOSITORY_NAMES = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY}


class DagsterClient:
    """Asks the web server at `url` (without a path)."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self._url = f"{url}/graphql"
        self._timeout = timeout

    def answers(self) -> bool:
        """Whether the web server is there and has loaded the project's code."""
        query = "{workspaceOrError{... on Workspace{locationEntries{locationOrLoadError{__typename}}}}}"
        try:
            entries = self.ask(query)["workspaceOrError"]["locationEntries"]
        except BackendError:
            return False
        return any((entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation" for entry in entries)

    def runs(
        self,
        *,
        workflow: str | None = None,
        states: Sequence[RunState] = (),
        since: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        limit: int = 20,
    ) -> list[Run]:
        """The newest runs first: of one workflow, in one of some states, made since then, with these tags."""
        wanted = {
            "pipelineName": workflow,
            "statuses": statuses_of(states) or None,
            "createdAfter": since.timestamp() if since else None,
            "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()],
        }
        answer = self.ask(_RUNS, filter={name: value for name, value in wanted.items() if value}, limit=limit)
        return [run_of(item) for item in answer["runsOrError"]["results"]]

    def run(self, run_id: str) -> Run | None:
        """One run by its whole id."""
        query = "query($id:ID!){runOrError(runId:$id){__typename ... on Run{%s}}}"
        item = self.ask(query % RUN_FIELDS, id=run_id)["runOrError"]
        return run_of(item) if item["__typename"] == "Run" else None

    def events(self, run_id: str, cursor: str | None = None) -> EventPage:
        """What happened after `cursor`."""
        page = self.ask(_EVENTS, id=run_id, cursor=cursor)["logsForRun"]
        if page["__typename"] != "EventConnection":
            raise BackendError(page["message"], code="RUN_UNKNOWN")
        return EventPage(tuple(_event(item) for item in page["events"]), page["cursor"])

    def reload(self) -> None:
        """Have the code server import the workflows anew. It answers when it has: dbt projects take seconds each."""
        query = "mutation($name:String!){reloadRepositoryLocation(repositoryLocationName:$name){__typename}}"
        self.ask(query, patience=_IMPORTS, name=LOCATION)

    def jobs(self) -> set[str]:
        """The names of the jobs that Dagster knows."""
        query = "{repositoriesOrError{... on RepositoryConnection{nodes{jobs{name}}}}}"
        nodes = self.ask(query)["repositoriesOrError"].get("nodes", [])
        return {job["name"] for node in nodes for job in node["jobs"]}

    def launch(
        self, workflow: str, config: Mapping[str, Any], tags: Mapping[str, str], assets: Sequence[str] = ()
    ) -> str:
        """Ask for a run, or for one of some `assets`, and return its id.

        Raises:
            UsageError: RUN_REFUSED where Dagster refuses the configuration.
        """
        selector: dict[str, Any] = {**REPOSITORY_NAMES, "pipelineName": workflow}
        if assets:
            selector["assetSelection"] = [{"path": name.split("/")} for name in assets]
        pairs = [{"key": key, "value": value} for key, value in tags.items()]
        params = {"selector": selector, "runConfigData": dict(config), "executionMetadata": {"tags": pairs}}
        return _launched(self.ask(_LAUNCH, params=params)["launchRun"], workflow)

    def retry(self, run: Run, *, from_failure: bool) -> str:
        """Ask for an earlier run once more, with its parameters, assets and tags, and return the new run's id.

        `from_failure`: only the steps that did not succeed. Raises UsageError RUN_REFUSED.
        """
        strategy = "FROM_FAILURE" if from_failure else "ALL_STEPS"
        params = {"parentRunId": run.id, "strategy": strategy, "useParentRunTags": True}
        return _launched(self.ask(_RETRY, params=params)["launchRunReexecution"], run.workflow)

    def cancel(self, run_id: str) -> bool:
        """Ask a run to end; False where it is not running."""
        query = "mutation($id:String!){terminateRun(runId:$id){__typename ... on Error{message}}}"
        return bool(self.ask(query, id=run_id)["terminateRun"]["__typename"] == "TerminateRunSuccess")

    def ask(self, query: str, *, patience: float | None = None, **variables: Any) -> dict[str, Any]:
        """The answer's data. `patience`: seconds to wait for it, where it takes longer than usual.

        Raises:
            BackendError: BACKEND_DOWN, BACKEND_NONSENSE or DAGSTER_FAILED.
        """
        body = {"query": query, "variables": variables}
        status, answer = ask_json(self._url, service="Dagster", body=body, timeout=patience or self._timeout)
        data = answer.get("data") if isinstance(answer, dict) else None
        if data is None:
            errors = answer.get("errors") if isinstance(answer, dict) else None
            reason = "; ".join(str(error.get("message")) for error in errors or []) or str(answer)[:200]
            raise BackendError(f"Dagster answered {status}: {reason}", code="DAGSTER_FAILED")
        return data


def run_of(item: Mapping[str, Any]) -> Run:
    """A run from the fields of `RUN_FIELDS`."""
    started, ended = _time(item["startTime"]), _time(item["endTime"])
    return Run(
        id=item["runId"],
        workflow=item["jobName"],
        state=state_of(item["status"]),
        created=_time(item["creationTime"]),
        # Of a run that ended before it started, Dagster gives the end as the start.
        started=None if started == ended else started,
        ended=ended,
        tags={tag["key"]: tag["value"] for tag in item["tags"] if not tag["key"].startswith(".dagster/")},
    )


def _launched(result: Mapping[str, Any], workflow: str) -> str:
    """The new run's id. Raises UsageError RUN_REFUSED."""
    if result["__typename"] == "LaunchRunSuccess":
        return str(result["run"]["runId"])
    reasons = [error["message"] for error in result.get("errors", [])] or [result.get("message", "")]
    message = f"Dagster refused to run '{workflow}': {' '.join(reasons)}"
    actions = (Action("See whether the workflow loads", "dataflow workflow list"),)
    raise UsageError(message, code="RUN_REFUSED", actions=actions)


def _event(item: Mapping[str, Any]) -> RunEvent:
    evaluation = item.get("evaluation")
    error = item.get("error")
    message = item.get("message") or ""
    if evaluation:
        message = f"{'/'.join(evaluation['assetKey']['path'])}:{evaluation['checkName']}"
    return RunEvent(
        time=datetime.fromtimestamp(int(item["timestamp"]) / 1000, UTC),
        kind=_KINDS.get(item["__typename"], "other"),
        level=str(item.get("level", "INFO")).lower(),
        message=message,
        step=item.get("stepKey"),
        error=innermost([error["message"], *(cause["message"] for cause in error["causes"])]) if error else None,
        passed=(evaluation["success"] or evaluation["severity"] == "WARN") if evaluation else None,
    )


def innermost(messages: list[str]) -> str:
    """The cause that tells: our own deepest one where there is one, else the deepest; Dagster's words wrap it."""
    told = [text.strip() for text in messages if text and text.strip()]
    own = [text for text in told if text.startswith(_OWN)]
    if own:
        return own[-1].partition(": ")[2]
    return told[-1] if told else ""


def _time(value: float | None) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if value else None

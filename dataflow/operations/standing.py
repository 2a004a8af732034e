"""Take the platform down for some work, and bring it back as it was: after the work, and also after its failure."""

from __future__ import annotations

from types import TracebackType

from dataflow.engines import stack
from dataflow.engines.base import PlanOptions
from dataflow.errors import DataflowError
from dataflow.events import Noted, Report, ignore
from dataflow.models import EngineName
from dataflow.operations.bring_up import bring_up
from dataflow.operations.context import Context
from dataflow.operations.staging import recover


class Standing:
    """A block in which the platform is down. `after`: the engine that brings it up again, when the block succeeds."""

    def __init__(self, context: Context, report: Report, *, after: EngineName | None = None) -> None:
        self._context = context
        self._report = report
        self._after = after or context.choice.name
        self._profiles = stack.load(context.paths.stack).profiles
        observed = context.engine.observe()
        self.was_up = any(process.running for process in observed.processes.values())

    def __enter__(self) -> Standing:
        self._context.engine.shut_down(ignore)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.was_up:
            return
        engine = self._after if error is None else self._context.choice.name
        fresh = Context(self._context.paths, {"engine": engine})  # what was remembered may be another thing now
        try:
            recover(fresh, self._report)
            options = PlanOptions(profiles=self._profiles, timeout=fresh.loaded.settings.up.timeout)
            bring_up(fresh, options, self._report)
        except DataflowError as again:
            if error is None:
                raise
            self._report(Noted(f"The platform did not come up again, either: {again.message}", warning=True))

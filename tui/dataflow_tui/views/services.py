"""Services: a table of all of them, and details of the one under the cursor."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from dataflow.models import ServiceStatus
from dataflow_tui.prose import service_text
from dataflow_tui.selection import Selection
from dataflow_tui.signs import service_state
from dataflow_tui.text import ago, cell, size, spark
from dataflow_tui.views.base import View
from dataflow_tui.widgets.panel import Panel
from dataflow_tui.widgets.rows import Row, Rows

if TYPE_CHECKING:
    from dataflow.operations.status import StatusResult

COLUMNS = ("SERVICE", "STATE", "SINCE", "CPU %", "LOAD", "MEMORY", "PORTS", "RESTARTS")
_SAMPLES = 60


class Services(View):
    """What runs, how it is, what it uses. Processor: percent of one."""

    NAME = "services"
    FEEDS = ("status",)
    HOME = "#services"
    ENTER = ("services",)

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._loads: dict[str, deque[float]] = {}
        self._last: StatusResult | None = None

    def compose(self) -> ComposeResult:
        """The table beside the details, or above them where the terminal is narrow."""
        with Container(classes="pair"):
            rows = Rows(COLUMNS, id="services")
            yield Panel("Services", rows, id="service-list", empty="No services: U brings the platform up.")
            details = VerticalScroll(Static("", markup=False, id="service-text"), can_focus=False)
            yield Panel("Details", details, id="service-details", empty="Choose a service.")

    def show_feed(self, name: str) -> None:  # noqa: ARG002 - it has one feed
        """All services, each in its row."""
        status: StatusResult | None = self.feed("status").value
        services = status.services if status else ()
        if status is not None and status is not self._last:
            self._last = status
            for one in services:
                self._loads.setdefault(one.name, deque(maxlen=_SAMPLES)).append(one.cpu or 0.0)
        self.query_one("#services", Rows).put([self._row(one) for one in services])
        self.say("service-list", "status", filled=bool(services))
        self._show_details()

    def on_data_table_row_highlighted(self) -> None:
        """Another service is under the cursor."""
        self._show_details()
        self.desk.show_keys()

    @property
    def chosen(self) -> Selection:
        """The service under the cursor."""
        status: StatusResult | None = self.feed("status").value
        name = self.query_one("#services", Rows).current
        found = next((one for one in status.services if one.name == name), None) if status else None
        return Selection(service=found)

    def _show_details(self) -> None:
        service = self.chosen.service
        self.say("service-details", "status", filled=service is not None)
        if service is not None:
            self.query_one("#service-text", Static).update(service_text(service, self.look))

    def _row(self, one: ServiceStatus) -> Row:
        ports = " ".join(str(port.number) for port in one.ports)
        loads = list(self._loads.get(one.name, ()))
        cells = (
            cell(one.name, "bold"),
            self.look.state(service_state(one)),
            cell(ago(one.since) if one.since else None, self.look.quiet),
            Text("-" if one.cpu is None else f"{one.cpu:.1f}", justify="right"),
            Text(spark(loads, 8) if one.cpu is not None else "", self.look.accent),
            Text(size(one.memory), justify="right"),
            cell(ports or None, self.look.quiet),
            Text(str(one.restarts), self.look.warn if one.restarts else self.look.quiet, justify="right"),
        )
        return Row(one.name, cells)

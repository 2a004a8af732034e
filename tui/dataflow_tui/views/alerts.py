"""Alerts and quality: what fires, which checks hold, who changed what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container

from dataflow_tui.selection import Selection
from dataflow_tui.text import ago, cell, clock, title
from dataflow_tui.views.base import View
from dataflow_tui.widgets.panel import Panel
from dataflow_tui.widgets.rows import Row, Rows

if TYPE_CHECKING:
    from dataflow.operations.alerts import Alert, AlertList
    from dataflow.operations.audit_trail import AuditTrail
    from dataflow.operations.browse import CheckList


class Alerts(View):
    """Alerts above; checks and the audit trail below."""

    NAME = "alerts"
    FEEDS = ("alerts", "checks", "audit")
    HOME = "#alerts"
    ENTER = ("alerts",)

    def compose(self) -> ComposeResult:
        """Three tables."""
        alerts = Rows(("STATE", "SEVERITY", "ALERT", "SINCE", "SUMMARY", "BY"), id="alerts")
        yield Panel("Alerts", alerts, id="alert-list", empty="✓ No alerts.")
        with Container(classes="pair"):
            checks = Rows(("STATE", "ASSET", "CHECK", "WHEN"), id="checks")
            yield Panel("Checks", checks, id="check-list", empty="No checks were carried out yet: 4, then x, runs one.")
            audit = Rows(("WHEN", "WHO", "WHAT", "END"), id="audit")
            yield Panel("Audit", audit, id="audit-list", empty="Nobody has changed anything yet.")

    def show_feed(self, name: str) -> None:
        """One of the three."""
        {"alerts": self._show_alerts, "checks": self._show_checks, "audit": self._show_audit}[name]()

    def on_data_table_row_highlighted(self) -> None:
        """Another alert is under the cursor."""
        self.desk.show_keys()

    @property
    def chosen(self) -> Selection:
        """The alert under the cursor."""
        found: AlertList | None = self.feed("alerts").value
        key = self.query_one("#alerts", Rows).current
        return Selection(alert=next((one for one in found.alerts if one.id == key), None) if found else None)

    def _show_alerts(self) -> None:
        found: AlertList | None = self.feed("alerts").value
        alerts = found.alerts if found else ()
        self.query_one("#alerts", Rows).put([self._alert(one) for one in alerts])
        self.say("alert-list", "alerts", filled=bool(alerts))
        panel = self.query_one("#alert-list", Panel)
        panel.border_subtitle = title(found.note) if found else ""

    def _alert(self, one: Alert) -> Row:
        cells = (
            self.look.state(one.state),
            self.look.state(one.severity),
            cell(one.name, "bold"),
            cell(ago(one.since), self.look.quiet),
            cell(one.summary, most=90),
            cell(one.by or None, self.look.quiet),
        )
        return Row(one.id, cells)

    def _show_checks(self) -> None:
        found: CheckList | None = self.feed("checks").value
        rows = [
            Row(
                f"{one.asset}:{one.name}",
                (
                    self.look.state("passed" if one.passed else "failed" if one.severity == "error" else "warning"),
                    cell(one.asset, "bold"),
                    cell(one.name),
                    cell(ago(one.time), self.look.quiet),
                ),
            )
            for one in (found.checks if found else ())
        ]
        self.query_one("#checks", Rows).put(rows)
        self.say("check-list", "checks", filled=bool(rows))

    def _show_audit(self) -> None:
        found: AuditTrail | None = self.feed("audit").value
        lines = found.lines if found else ()
        rows = [
            Row(
                f"{one.time.isoformat()} {len(lines) - number}",
                (
                    cell(clock(one.time), self.look.quiet),
                    cell(one.actor),
                    cell(f"{one.operation} {one.detail}".strip(), "bold", 60),
                    Text(one.outcome[:40], self.look.good if one.outcome == "done" else self.look.bad),
                ),
            )
            for number, one in enumerate(lines)
        ]
        self.query_one("#audit", Rows).put(rows)
        self.say("audit-list", "audit", filled=bool(rows))

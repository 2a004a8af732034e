"""A form with a field for each parameter. The operation itself says whether the values are right."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static, Switch

from dataflow.models import Parameter
from dataflow_tui.feeds import Trouble
from dataflow_tui.text import clean, title

Check = Callable[[tuple[str, ...]], object]
_KINDS: dict[str, Literal["text", "integer", "number"]] = {"integer": "integer", "number": "number"}


@dataclass(frozen=True, slots=True)
class Field:
    """One value that is asked for."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "date"]
    default: str
    help: str = ""

    @classmethod
    def of(cls, parameter: Parameter) -> Field:
        """The field for a parameter of a workflow."""
        default = "" if parameter.default is None else str(parameter.default)
        return cls(parameter.name, parameter.type, default, parameter.description)

    @property
    def title(self) -> str:
        """What stands above the field."""
        return f"{self.name} ({self.type})  {self.help}".rstrip()


class Form(ModalScreen[tuple[str, ...] | None]):
    """Gives `name=value` for every field that is not as it was; None where it is put away."""

    BINDINGS = [Binding("escape", "leave", "Cancel"), Binding("ctrl+r", "go", "Go")]

    class Checked(Message):
        """The operation has looked at the values."""

        def __init__(self, values: tuple[str, ...], error: Exception | None) -> None:
            super().__init__()
            self.values = values
            self.error = error

    def __init__(self, title: str, fields: list[Field], check: Check | None) -> None:
        super().__init__()
        self._title = title
        self._fields = fields
        self._check = check

    def compose(self) -> ComposeResult:
        """A field below the other, then the buttons."""
        with VerticalScroll(id="box") as box:
            box.border_title = title(self._title)
            for number, field in enumerate(self._fields):
                yield Label(Text(clean(field.title)), markup=False)
                if field.type == "boolean":
                    yield Switch(field.default.lower() == "true", id=f"field-{number}")
                else:
                    kind = _KINDS.get(field.type, "text")
                    yield Input(field.default, type=kind, placeholder=field.type, id=f"field-{number}")
            if not self._fields:
                yield Label("It takes no parameters.", markup=False)
            yield Static("", markup=False, id="fault")
            with Horizontal(classes="answers"):
                yield Button("Go (ctrl+r)", id="go", variant="primary")
                yield Button("Cancel (Esc)", id="leave")

    def on_mount(self) -> None:
        """Begin with the first field, or with the button where there is none."""
        self.query_one("#field-0" if self._fields else "#go").focus()

    def on_input_submitted(self) -> None:
        """Enter in a field sends the form."""
        self.action_go()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button sends or leaves."""
        if event.button.id == "go":
            self.action_go()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Put the form away."""
        self.dismiss(None)

    def action_go(self) -> None:
        """Let the operation look at the values; what is wrong is said here, and the form stays."""
        values = self._values()
        check = self._check
        if check is None:
            self.dismiss(values)
            return
        self.query_one("#fault", Static).update(Text("◐ Checking …"))

        def look() -> None:
            error: Exception | None = None
            try:
                check(values)
            except Exception as caught:  # noqa: BLE001 - whatever it is, the form shows it
                error = caught
            self.post_message(self.Checked(values, error))

        threading.Thread(target=look, name="form", daemon=True).start()

    def on_form_checked(self, message: Checked) -> None:
        """Done, or what is wrong."""
        if message.error is None:
            self.dismiss(message.values)
            return
        trouble = Trouble.of(message.error)
        self.query_one("#fault", Static).update(Text(f"✗ {clean(trouble.message)}\n{clean(trouble.hint)}".rstrip()))

    def _values(self) -> tuple[str, ...]:
        given = ((field, self._value(self.query_one(f"#field-{n}"))) for n, field in enumerate(self._fields))
        return tuple(f"{field.name}={value}" for field, value in given if value != self._was(field))

    @staticmethod
    def _was(field: Field) -> str:
        return field.default.lower() if field.type == "boolean" else field.default

    @staticmethod
    def _value(widget: Any) -> str:
        return str(widget.value).lower() if isinstance(widget, Switch) else str(widget.value)

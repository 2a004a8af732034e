"""What every command has in common: the shared options, the lazy groups, and the one place where errors end."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from dataflow.cli.exit_codes import ExitCode, exit_code
from dataflow.cli.help import GLOBAL, HelpPage
from dataflow.cli.output import Output
from dataflow.errors import DataflowError, Interrupted, UsageError

# Typer carries its own Click and gives its exceptions no public name: the parent of BadParameter is the usage error.
_TyperUsageError: Any = typer.BadParameter.__mro__[1]


def _shared(
    json: Annotated[bool, typer.Option("--json", help="One JSON envelope on stdout.", rich_help_panel=GLOBAL)] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only warnings and errors.", rich_help_panel=GLOBAL)
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell more.", rich_help_panel=GLOBAL)] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.", rich_help_panel=GLOBAL)] = False,
    project_dir: Annotated[
        Path | None,
        typer.Option("--project-dir", metavar="DIR", help="The project, if not here.", rich_help_panel=GLOBAL),
    ] = None,
) -> None:
    """The options that every command takes."""


@cache
def shared_options() -> tuple[Any, ...]:
    """The parameters of `_shared`, as Typer makes them."""
    app = typer.Typer(add_completion=False)
    app.command()(_shared)
    return tuple(typer.main.get_command(app).params)


def take_shared(ctx: Any) -> Output:
    """Move the shared options of a command or group from its parameters to the one `Output`, where they were given."""
    output: Output = ctx.find_root().obj
    for option in shared_options():
        value = ctx.params.pop(option.name, None)
        if value:
            # Typer makes a path of it only for a function that takes it.
            setattr(output, option.name, Path(value) if option.name == "project_dir" else value)
    return output


class DataflowCommand(HelpPage, TyperCommand):
    """A command with the shared options; its function finds them in `ctx.obj`, an `Output`."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **attrs: Any) -> None:
        for param in params or []:
            if param.param_type_name == "argument":  # so that a missing one is called what the help calls it
                param.metavar = param.metavar or param.name.upper()
        super().__init__(*args, params=[*(params or []), *shared_options()], **attrs)

    def invoke(self, ctx: Any) -> Any:
        """Take the shared options out, then call the function."""
        output = take_shared(ctx)
        output.command = ctx.command_path.partition(" ")[2]
        ctx.obj = output
        return super().invoke(ctx)


class DataflowGroup(HelpPage, TyperGroup):
    """A group with the shared options. Called with nothing it shows its help on stderr: the call is not complete."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **attrs: Any) -> None:
        super().__init__(*args, params=[*(params or []), *shared_options()], **attrs)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Click does; without arguments, show the help and end with 2, as uv and Click's own programs do."""
        if not args and not ctx.resilient_parsing and not getattr(ctx.find_root().obj, "json", False):
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(ExitCode.USAGE)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Take the shared options out, then go on to the command."""
        take_shared(ctx)
        return super().invoke(ctx)


class LazyGroup(DataflowGroup):
    """The root: knows its commands by name and imports their modules only when they are called."""

    table: dict[str, tuple[str, str]]

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base class's signature
        """All names, in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the base class's signature
        """A stand-in that knows its help line: enough for help and completion."""
        if cmd_name not in self.table:
            return None
        return TyperCommand(cmd_name, help=self.table[cmd_name][1])

    def load_command(self, name: str) -> Any:
        """The command itself."""
        module = importlib.import_module(self.table[name][0])
        group = typer.main.get_group(module.app)
        return group if group.name == name else group.commands[name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command by name; an unknown one gets a did-you-mean."""
        self.commands = dict.fromkeys(self.table)  # type: ignore[assignment] - the names are all that suggestions need
        name, command, rest = super().resolve_command(ctx, args)
        return name, self.load_command(name) if name and command else None, rest

    def invoke(self, ctx: Any) -> Any:
        """Every command runs inside this: an error ends here, a bug goes on as it is."""
        try:
            return super().invoke(ctx)
        except _TyperUsageError as error:
            ctx.obj.command = error.ctx.command_path.partition(" ")[2] if error.ctx else ""
            raise typer.Exit(_end(ctx.obj, _usage(error))) from error
        except KeyboardInterrupt:
            raise typer.Exit(_end(ctx.obj, Interrupted("Interrupted."))) from None
        except DataflowError as error:
            raise typer.Exit(_end(ctx.obj, error)) from error

    def main(  # pyright: ignore[reportIncompatibleMethodOverride] - the rest goes on as it came
        self, args: Any = None, *, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        """As Click does, but a wrong call of the root itself ends like any other error."""
        given = list(sys.argv[1:] if args is None else args)
        ours = given[: given.index("--")] if "--" in given else given
        # Known even where the call cannot be parsed, and before --help prints.
        output = Output(json="--json" in ours, no_color="--no-color" in ours)
        try:
            code = super().main(args=given, standalone_mode=False, obj=output, **extra)
        except _TyperUsageError as error:
            code = _end(output, _usage(error))
        except typer.Abort:
            code = _end(output, Interrupted("Interrupted."))
        if standalone_mode:
            sys.exit(code if isinstance(code, int) else 0)
        return code


class DataflowTyper(typer.Typer):
    """A Typer whose commands have the shared options."""

    def command(self, name: str | None = None, **attrs: Any) -> Callable[[Any], Any]:  # type: ignore[override]
        """Declare a command."""
        attrs.setdefault("cls", DataflowCommand)
        return super().command(name, **attrs)


def new_app(name: str | None = None, help: str = "") -> DataflowTyper:  # noqa: A002 - Typer's word
    """A group of commands. Plain verbs have a group without a name."""
    return DataflowTyper(
        name=name,
        cls=DataflowGroup,
        help=help,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def _usage(error: Any) -> UsageError:
    message = error.format_message()
    path = error.ctx.command_path if error.ctx else "dataflow"
    return UsageError(message, hint=f"See `{path} --help`.")


def _end(output: Output, error: DataflowError) -> int:
    if not output.json:
        output.progress.close()
    output.error(error)
    return int(exit_code(error))

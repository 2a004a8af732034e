"""Help pages as plain text that fits 80 columns: what, usage, examples, options, and last what is the same everywhere.

Click's formatter wraps and aligns. Typer's boxes are not used: they join the examples' lines, call a flag a <bool>,
and loading them takes longer than all the rest of `--help`.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterable
from typing import Any

import typer

GLOBAL = "Global options"
_CODE = re.compile(r"`([^`]+)`")


class HelpPage:
    """Mixed into commands and groups: writes their help from the docstring, the one place where it stands."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the program's name in the usage line."""
        command: Any = self
        arguments = [argument(param) for param in command.get_params(ctx) if not _is_option(param)]
        below = ["COMMAND"] if hasattr(command, "commands") else []
        return ["[OPTIONS]", *arguments, *below]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        command: Any = self
        ink = _Ink(on=not (os.environ.get("NO_COLOR") or getattr(ctx.find_root().obj, "no_color", False)))
        text, examples = split(command.help or "")
        formatter.write_text(text)
        if ink.on:  # only now: wrapping counts the marks of colours
            formatter.buffer = [_CODE.sub(lambda found: ink.name(found[1]), "".join(formatter.buffer))]
        formatter.write_paragraph()
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), ink.heading("Usage: "))
        _write_examples(formatter, ink, examples)
        _write_list(formatter, ink, "Commands", _commands(command, ctx))
        params = [param for param in command.get_params(ctx) if not param.hidden]
        bare = [param for param in params if not _is_option(param)]
        _write_list(formatter, ink, "Arguments", ((_name(p), _words(p)) for p in bare if p.help))
        options = [param for param in params if _is_option(param)]
        own = [param for param in options if not _is_global(param)]
        _write_list(formatter, ink, "Options", ((option(p), _words(p)) for p in own))
        _write_list(formatter, ink, GLOBAL, ((option(p), _words(p)) for p in options if p not in own))


def split(docstring: str) -> tuple[str, tuple[str, ...]]:
    """A command's docstring as its text and the lines of its examples, each `$ dataflow …`."""
    text, _, examples = inspect.cleandoc(docstring).partition("Example:")
    return text.strip(), tuple(line.strip() for line in examples.splitlines() if line.strip())


def argument(param: Any) -> str:
    """An argument in a usage line: NAME, [NAME] or [NAME]...; a metavar that ends in dots stands as it is."""
    name = _name(param)
    if name.endswith("..."):
        return name
    return (name if param.required else f"[{name}]") + ("..." if param.nargs != 1 else "")


def option(param: Any) -> str:
    """An option in a list: its names, the short one first, and what it takes; a flag takes nothing."""
    names = ", ".join(sorted([*param.opts, *param.secondary_opts], key=lambda name: name.startswith("--")))
    return names if param.is_flag else f"{names} {_name(param)}"


class _Ink:
    """Colour, where it is wanted; Click takes it out again where the output is no terminal."""

    def __init__(self, *, on: bool) -> None:
        self.on = on

    def heading(self, text: str) -> str:
        return typer.style(text, bold=True) if self.on else text

    def name(self, text: str) -> str:
        return typer.style(text, fg="cyan") if self.on else text


def _write_list(formatter: Any, ink: _Ink, heading: str, rows: Iterable[tuple[str, str]]) -> None:
    written = [(ink.name(first), second) for first, second in rows]
    if written:
        with formatter.section(ink.heading(heading)):
            formatter.write_dl(written)


def _write_examples(formatter: Any, ink: _Ink, examples: tuple[str, ...]) -> None:
    """One per line and never wrapped: they are there to be copied."""
    if examples:
        with formatter.section(ink.heading("Examples" if len(examples) > 1 else "Example")):
            for line in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def _commands(group: Any, ctx: Any) -> list[tuple[str, str]]:
    names = group.list_commands(ctx) if hasattr(group, "commands") else []
    found = ((name, group.get_command(ctx, name)) for name in names)
    return [(name, split(command.help or "")[0].partition("\n\n")[0]) for name, command in found if command]


def _name(param: Any) -> str:
    choices = getattr(param.type, "choices", ()) if _is_option(param) else ()
    return param.metavar or "|".join(choices) or param.name.upper()


def _words(param: Any) -> str:
    """What it is for, with its default where that says something."""
    plain = not getattr(param, "is_flag", False) and isinstance(param.default, int | float | str) and param.default
    return f"{param.help or ''}{f' [default: {param.default}]' if plain else ''}"


def _is_option(param: Any) -> bool:
    return param.param_type_name == "option"


def _is_global(param: Any) -> bool:
    return param.rich_help_panel == GLOBAL or not {"--help", "--version"}.isdisjoint(param.opts)

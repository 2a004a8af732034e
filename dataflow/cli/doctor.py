"""`dataflow doctor`: what is wrong with the machine and the project."""

from __future__ import annotations

from typing import Annotated

import typer

from dataflow.cli.exit_codes import ExitCode
from dataflow.cli.frame import new_app
from dataflow.cli.output import Output

app = new_app()


@app.command()
def doctor(
    ctx: typer.Context,
    checks: Annotated[
        list[str] | None, typer.Argument(metavar="CHECK", help="Checks or groups of them. Default: all.")
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Put right what is safe to put right.")] = False,
) -> None:
    """Check the machine and the project, and say what helps.

    Every check passes, warns, fails or is skipped, with the reason. A check that fails makes the exit code 1; warnings
    do not. With `--fix`, permissions, missing folders, missing credentials and what a platform that is gone left behind
    are put right, each with a line in the audit log.

    Example:
        $ dataflow doctor

        $ dataflow doctor machine ports
    """
    from dataflow.cli.views.doctor import show_doctor
    from dataflow.operations.context import Context
    from dataflow.operations.doctor import DoctorOptions
    from dataflow.operations.doctor import doctor as operation

    output: Output = ctx.obj
    result = operation(Context.if_any(output.project_dir), DoctorOptions(tuple(checks or ()), fix), output.report)
    output.result(result, show_doctor)
    if result.summary.failed:
        raise typer.Exit(ExitCode.FAILED)

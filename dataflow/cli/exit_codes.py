"""What the exit code says. Part of the contract: numbers never change their meaning."""

from __future__ import annotations

from enum import IntEnum

from dataflow import errors


class ExitCode(IntEnum):
    """One number per kind of end."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFIRMATION_NEEDED = 3
    CONFIGURATION_INVALID = 4
    MISSING = 5
    NOT_HEALTHY = 6
    RUN_FAILED = 7
    CHECKS_FAILED = 8
    INTERRUPTED = 130


_CODES: dict[type[errors.DataflowError], ExitCode] = {
    errors.UsageError: ExitCode.USAGE,
    errors.ConfirmationNeeded: ExitCode.CONFIRMATION_NEEDED,
    errors.ConfigurationError: ExitCode.CONFIGURATION_INVALID,
    errors.MissingError: ExitCode.MISSING,
    errors.NotHealthyError: ExitCode.NOT_HEALTHY,
    errors.RunFailedError: ExitCode.RUN_FAILED,
    errors.ChecksFailedError: ExitCode.CHECKS_FAILED,
    errors.Interrupted: ExitCode.INTERRUPTED,
}


def exit_code(error: errors.DataflowError) -> ExitCode:
    """The exit code of an error, by its nearest kind."""
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), ExitCode.FAILED)


_OF_STATUS = {
    "nothing": ExitCode.DONE,
    "attention": ExitCode.FAILED,
    "checks": ExitCode.CHECKS_FAILED,
    "runs": ExitCode.RUN_FAILED,
    "services": ExitCode.NOT_HEALTHY,
}


def status_code(worst: str) -> ExitCode:
    """What `status --exit-code` exits with, by what is worst."""
    return _OF_STATUS[worst]

"""One JSON line for every log call, whether through structlog, loguru or the standard library.

The standard library is the hub: structlog hands its events to it, loguru's sink makes records for it, and one
formatter writes them. Keys are timestamp, level, message, service, workflow, job, run_id, step, logger, then what the
call and `bound` added. An exception is one field with its traceback and without local variables. Secrets are masked
in every value.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Generator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from dataflow.shared.masking import MASK, SECRET_NAME, mask

if TYPE_CHECKING:
    import structlog
    from loguru import Message

__all__ = ["bound", "configure", "get_logger", "mask"]

FIELDS = ("timestamp", "level", "message", "service", "workflow", "job", "run_id", "step", "logger")
EXTRA = "loguru_extra"
_FOREIGN_FRAME = re.compile(
    r'^  File "[^"\n]*/(?:site-packages|lib/python[\d.]+)/.*\n(?:    .*(?:\n|\Z))*', re.MULTILINE
)
LEVELS = {5: "TRACE", 25: "SUCCESS"}  # loguru's own, which the standard library would call "Level 25"
Event = MutableMapping[str, Any]


def configure(
    *,
    service: str,
    stream: TextIO | None = None,
    path: Path | None = None,
    level: str = "INFO",
    people: TextIO | None = None,
) -> None:
    """Send all logging of this process, as JSON lines, to a stream (stderr when nothing is given) and to a file.

    `people` gets it as lines to read, without debug lines. Calling it again replaces what it set up before. The file is
    appended to, and its folder made.
    """
    import structlog

    for number, name in LEVELS.items():
        logging.addLevelName(number, name)
    root = logging.getLogger()
    for handler in [
        handler for handler in root.handlers if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    ]:
        root.removeHandler(handler)
        handler.close()
    for handler in _handlers(stream, path):
        handler.setFormatter(_formatter(service, structlog.processors.JSONRenderer(ensure_ascii=False)))
        root.addHandler(handler)
    if people:
        reader = logging.StreamHandler(people)
        reader.setLevel("INFO")
        reader.setFormatter(_formatter(service, _in_words))
        root.addHandler(reader)
    root.setLevel(level)
    logging.captureWarnings(True)
    _configure_structlog()
    _configure_loguru(level)


def get_logger(name: str | None = None) -> structlog.stdlib.BoundLogger:
    """A structlog logger: `log.info("loaded", rows=3)`."""
    import structlog

    return structlog.stdlib.get_logger(name or "dataflow")


@contextmanager
def bound(**context: object) -> Generator[None]:
    """Add fields (workflow=, job=, run_id=, step= …) to every line of the block, whichever library logs it."""
    import structlog

    with structlog.contextvars.bound_contextvars(**context):
        yield


def _handlers(stream: TextIO | None, path: Path | None) -> list[logging.Handler]:
    handlers: list[logging.Handler] = []
    if stream is not None or path is None:
        handlers.append(logging.StreamHandler(stream or sys.stderr))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, encoding="utf-8"))
    return handlers


def _formatter(service: str, renderer: Any) -> logging.Formatter:
    import structlog

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, *_shared(), structlog.stdlib.ExtraAdder()],
        processors=[
            _merge_loguru,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,  # text without locals: those hold secrets
            structlog.processors.EventRenamer("message"),
            lambda _, __, event: _ordered(event, service),
            renderer,
        ],
    )


def _in_words(_: object, __: str, event: Event) -> str:
    """Time, level, step, message, what the call added, and below it the traceback."""
    step = f"{event['step']}: " if event["step"] else ""
    added = "".join(f" {key}={value}" for key, value in event.items() if key not in {*FIELDS, "exception"})
    trace = f"\n{own_frames(str(event['exception']))}" if "exception" in event else ""
    return f"{str(event['timestamp'])[11:19]} {event['level']:<8} {step}{event['message']}{added}{trace}"


def own_frames(trace: str) -> str:
    """The last cause of a traceback, without the frames of installed packages: what a workflow's author looks for."""
    cause = trace.rpartition("The above exception was caused by the following exception:\n")[2]
    return re.sub(r"\n\n+", "\n", _FOREIGN_FRAME.sub("", cause)).strip()


def _shared() -> list[Any]:
    from structlog import processors, stdlib

    return [stdlib.add_log_level, stdlib.add_logger_name, processors.TimeStamper(fmt="iso", utc=True)]


def _configure_structlog() -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _configure_loguru(level: str) -> None:
    import loguru

    loguru.logger.remove()
    # diagnose would print the values of variables, backtrace the frames above the handler.
    loguru.logger.add(_to_stdlib, level=level, format="{message}", backtrace=False, diagnose=False)


def _to_stdlib(message: Message) -> None:
    """Loguru's sink: the same record as the standard library's, its extras kept apart from the record's own names."""
    record = message.record
    name = record["name"] or "loguru"
    exception = record["exception"]
    caught = (exception.type, exception.value, exception.traceback) if exception and exception.type else None
    made = logging.getLogger(name).makeRecord(
        name,
        record["level"].no,
        record["file"].path,
        record["line"],
        record["message"],
        (),
        caught,  # pyright: ignore[reportArgumentType]
        record["function"],
        {EXTRA: dict(record["extra"])},
    )
    logging.getLogger(name).handle(made)


def _merge_loguru(_: object, __: str, event: Event) -> Event:
    return {**event.pop(EXTRA, {}), **event}


def _ordered(event: Mapping[str, Any], service: str) -> Event:
    """The schema's fields first and always there, then the rest; every value without secrets."""
    fields = {"workflow": None, "job": None, "run_id": None, "step": None, **event, "service": service}
    ordered = {name: fields.pop(name, None) for name in FIELDS}
    return {name: _masked(name, value) for name, value in (*ordered.items(), *fields.items())}


def _masked(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return MASK if value is not None and SECRET_NAME.search(name) else value
    if SECRET_NAME.search(name):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): _masked(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(name, inner) for inner in value]
    return mask(value if isinstance(value, str) else str(value))

"""How every process logs: one line an event on standard error, JSON unless it is to be read."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["json", "text"]


def configure_logging(form: Format = "json") -> None:
    """Send structlog's events, and warnings of the libraries, to standard error.

    A line that is logged on behalf of a request has its `request_id`. What a library logs becomes
    a line of the same form.

    Args:
        form: `json`, one object a line, or `text`, for people at a terminal.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=False)]
        if form == "text"
        else [_exception_kind, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _logger_name], processors=[remove, *last]
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _logger_name(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["logger"] = record.name
    return event


def _exception_kind(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Where an exception came from, not what it said: a message may quote what a request held."""
    if found := event.pop("exc_info", None):
        error = found[1] if isinstance(found, tuple) else sys.exc_info()[1]
        event["exception"] = type(error).__name__
    return event

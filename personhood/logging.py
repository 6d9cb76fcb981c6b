"""How the service logs: one JSON object a line on standard error."""

import logging
import sys

import structlog


def configure_logging() -> None:
    """Send structlog's events, and warnings of the libraries, to standard error."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )

"""Structured logs to standard error: an event name and keys, for people on a terminal, JSON elsewhere."""

import logging
import sys
import warnings
from typing import Literal, TextIO

import structlog


def configure(level: str, form: Literal["auto", "console", "json"]) -> None:
    """Set up structlog once, at the start of a process.

    Args:
        level: Lowest level that is printed.
        form: `auto` renders for people if standard error is a terminal.
    """
    people = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if people
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        # One write a line: processes share standard error, and a line must not be torn by another's.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    warnings.showwarning = _log_warning


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning of Python's is a record like any other, so that whoever parses the log meets no free text."""
    structlog.get_logger().warning(
        "python_warning",
        message=str(message),
        category=category.__name__,
        at=f"{filename}:{lineno}",
    )

"""Dates in file names, and the instants at which those days began."""

import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import TapeError

_DATE = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


def midnight_ns(day: date, zone: str) -> int:
    """Nanoseconds since 1970 at the start of a day in a time zone."""
    began = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int(began.timestamp()) * NANOS_PER_SECOND


def day_of(path: Path, name: str, given: date | None) -> date:
    """The day of a file: as given, or by the date in its name. Raises: TapeError if neither tells."""
    if given is not None:
        return given
    match = _DATE.search(name)
    try:
        if match is not None:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    raise TapeError(
        f"{path}: expected a date like 2012-06-21 or 20120621 in its name, found {name!r}; pass --day"
    )

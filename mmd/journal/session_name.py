"""Numbers and names of a journal's sessions: both sort in the order in which the sessions were, whatever the clock does."""

import re
from pathlib import Path
from time import gmtime, strftime
from typing import Final

from mmd.core.units import NANOS_PER_SECOND

_EPOCH_S: Final = 1_577_836_800
"""2020-01-01 UTC, which numbers count from."""
_NAMED: Final = re.compile(r"\d{8}T\d{6}-([0-9a-f]{8})")


def next_session(journal_folder: Path, now_unix_ns: int) -> int:
    """Number of a session that begins now: seconds since 2020, or one more than the last where the clock was set back.

    Orders are numbered by it, and a restart reads in the last session what may still be on its way.
    """
    there = [
        int(found[1], 16) for p in journal_folder.glob("*") if (found := _NAMED.fullmatch(p.name))
    ]
    return max([now_unix_ns // NANOS_PER_SECOND - _EPOCH_S, *(number + 1 for number in there)])


def session_name(number: int) -> str:
    """What its folder is called, e.g. 20261122T203000-0cf76fc8: the second that the number counts to in UTC, and it."""
    return f"{strftime('%Y%m%dT%H%M%S', gmtime(_EPOCH_S + number))}-{number:08x}"

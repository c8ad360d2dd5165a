"""Events of kinds that the venue's documents did not have when this was written: counted, named once, passed over."""

from typing import Final

import structlog

_NAMES_MAX: Final = 16
"""So many are told by name; a venue that makes up more says nothing by their names."""
_NAME_MAX: Final = 80
_log = structlog.get_logger()


class UnknownEvents:
    """Those of one venue, whichever of its connections they came over.

    Attributes:
        count: how many have come.
    """

    def __init__(self, venue: str) -> None:
        self.count = 0
        self._venue = venue
        self._names: set[str] = set()

    def saw(self, name: str, link: str) -> None:
        """Count one that came over a kind of connection."""
        self.count += 1
        name = name[:_NAME_MAX]
        if name not in self._names and len(self._names) < _NAMES_MAX:
            self._names.add(name)
            _log.warning("unknown_event", venue=self._venue, name=name, link=link)

"""Events of kinds that the venue's documents did not have when this was written: counted, named once, passed over."""

from collections.abc import Callable
from typing import Final

_NAMES_MAX: Final = 16
"""So many are told by name; a venue that makes up more says nothing by their names."""
_NAME_MAX: Final = 80


class UnknownEvents:
    """Those of one venue, whichever of its connections they came over.

    Attributes:
        count: how many have come.
    """

    def __init__(self, on_new: Callable[[str, str], None]) -> None:
        """`on_new` is told the name of each kind when it comes first, and over which kind of connection."""
        self.count = 0
        self._on_new = on_new
        self._names: set[str] = set()

    def saw(self, name: str, link: str) -> None:
        """Count one that came over a kind of connection."""
        self.count += 1
        name = name[:_NAME_MAX]
        if name not in self._names and len(self._names) < _NAMES_MAX:
            self._names.add(name)
            self._on_new(name, link)

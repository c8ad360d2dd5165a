"""Frames of the live picture: a whole one for who comes, and for all others the fields that changed since."""

from collections.abc import Iterable

import msgspec

from mmd.ops.event_log import LoggedEvent
from mmd.ops.histogram_state import EDGES_S
from mmd.ops.observer import Sight
from mmd.ops.state import InstrumentState, State

_encode = msgspec.json.Encoder().encode
_SESSION_FIELDS = tuple(
    name
    for name in State.__struct_fields__
    if name
    not in ("instruments", "crossvenue", "stages_us", "loop_lag_us", "process", "journal_sync")
)
_ROW_FIELDS = (
    *("venue", "symbol", "quote_state", "reason", "mid", "half_spread_bps", "position"),
    *("inventory_ratio", "pnl_total", "fills", "uptime_ratio"),
)


class ChangedFields:
    """Remembers how each field was encoded last."""

    def __init__(self) -> None:
        self.last: dict[str, msgspec.Raw] = {}

    def of(self, fields: dict[str, object]) -> dict[str, msgspec.Raw]:
        """Those that are encoded otherwise than last time."""
        encoded = {name: msgspec.Raw(_encode(value)) for name, value in fields.items()}
        changed = {name: raw for name, raw in encoded.items() if self.last.get(name) != raw}
        self.last = encoded
        return changed


class SessionFrames:
    """Of the daemon as a whole, with a row for each instrument."""

    def __init__(self, *, controls: bool) -> None:
        self._controls = controls
        self._fields = ChangedFields()

    def next(self, sight: Sight) -> bytes:
        """What changed with this sight."""
        fields: dict[str, object] = {
            "controls": self._controls,
            "error": sight.error,
            "engine_age_s": round(sight.age_s, 1),
            "edges_s": EDGES_S,
        }
        state = sight.state
        if state is not None:
            fields |= {name: getattr(state, name) for name in _SESSION_FIELDS}
            fields["rows"] = [
                {name: getattr(row, name) for name in _ROW_FIELDS} | {"synced": row.book.synced}
                for row in state.instruments
            ]
        changed = self._fields.of(fields)
        return _encode({"of": "session", "whole": False, "fields": changed, "events": sight.events})

    def whole(self, events: Iterable[LoggedEvent]) -> bytes:
        """All of it as it was last sent, and the log."""
        fields = self._fields.last
        return _encode({"of": "session", "whole": True, "fields": fields, "events": list(events)})


class InstrumentFrames:
    """Of one instrument."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._fields = ChangedFields()

    def next(self, row: InstrumentState, sight: Sight) -> bytes:
        """What changed with this sight, and what its charts go on with."""
        frame = {
            "of": self._name,
            "whole": False,
            "fields": self._fields.of(msgspec.structs.asdict(row)),
            "point": sight.points.get(self._name),
            "fills": sight.fills.get(self._name, []),
        }
        return _encode(frame)

    def whole(self) -> bytes:
        """All of it as it was last sent."""
        fields = self._fields.last
        return _encode(
            {"of": self._name, "whole": True, "fields": fields, "point": None, "fills": []}
        )

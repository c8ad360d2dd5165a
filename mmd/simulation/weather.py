"""Which faults a connection suffers at a moment, and the chances that each of them takes."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from mmd.simulation.agenda import Agenda
from mmd.simulation.channel import Carrier
from mmd.simulation.fault import Fault, FaultKind

_MS: Final = 1_000_000


class _Spell:
    """One fault, with its own chances: another fault that is left out does not change them."""

    __slots__ = ("at_ns", "end_ns", "rng")

    def __init__(self, fault: Fault, start_ns: int, seed: int) -> None:
        self.at_ns, self.end_ns = start_ns + fault.at_ns, start_ns + fault.end_ns
        self.rng = np.random.default_rng((seed, fault.number, 0x5EED))


class Weather:
    """The faults of one connection."""

    def __init__(self, faults: Iterable[Fault], agenda: Agenda, start_ns: int, seed: int) -> None:
        self._agenda = agenda
        self._spells: dict[FaultKind, list[_Spell]] = {}
        for fault in faults:
            self._spells.setdefault(fault.kind, []).append(_Spell(fault, start_ns, seed))

    def has(self, kind: FaultKind) -> bool:
        """Whether a fault holds now."""
        return self._now(kind) is not None

    def strikes(self, kind: FaultKind, share: float) -> bool:
        """Whether a fault holds and hits what is at hand, as it does that share of all."""
        spell = self._now(kind)
        return spell is not None and bool(spell.rng.random() < share)

    def draw(self, kind: FaultKind, low: int, high: int) -> int:
        """A number from low to high - 1 by the chances of a fault that holds; low where none does."""
        spell = self._now(kind)
        return low if spell is None else int(spell.rng.integers(low, high))

    def until_ns(self, kind: FaultKind) -> int:
        """When a fault that holds now ends; now where none does."""
        spell = self._now(kind)
        return self._agenda.now_ns if spell is None else spell.end_ns

    def _now(self, kind: FaultKind) -> _Spell | None:
        spells = self._spells.get(kind)
        if spells is None:
            return None
        now_ns = self._agenda.now_ns
        for spell in spells:
            if spell.at_ns <= now_ns < spell.end_ns:
                return spell
        return None


def feed_carrier(calm: Carrier, weather: Weather) -> Carrier:
    """Market data: lost, doubled, reordered, late, or stalled until a partition ends."""
    k = FaultKind

    def carry(sent_ns: int) -> tuple[int, ...]:
        if weather.strikes(k.FEED_DROP, 0.2):
            return ()
        (due_ns,) = calm(sent_ns)
        due_ns = max(due_ns, weather.until_ns(k.FEED_SILENT))
        due_ns += weather.draw(k.FEED_DELAY, 0, 400) * _MS
        if weather.strikes(k.FEED_REORDER, 0.2):
            due_ns += weather.draw(k.FEED_REORDER, 1, 300) * _MS
        if weather.strikes(k.FEED_DUPLICATE, 0.3):
            return due_ns, due_ns + weather.draw(k.FEED_DUPLICATE, 0, 300) * _MS
        return (due_ns,)

    return carry


def stalled(calm: Carrier, weather: Weather, *kinds: FaultKind) -> Carrier:
    """One way of a connection that keeps the order of its messages: they wait for partitions to end."""
    last_ns = 0

    def carry(sent_ns: int) -> tuple[int, ...]:
        nonlocal last_ns
        (due_ns,) = calm(sent_ns)
        last_ns = max(due_ns, last_ns, *(weather.until_ns(kind) for kind in kinds))
        return (last_ns,)

    return carry

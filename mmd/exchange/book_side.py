"""The levels of one side, best first, with the prices that changed since they were last published."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from mmd.core.units import Side
from mmd.exchange.price_level import PriceLevel


class BookSide:
    """Levels by price; `dirty` collects every price whose displayed quantity may have changed."""

    __slots__ = ("_keys", "_sign", "dirty", "levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._sign = side.sign  # read on every level: a plain int costs a tenth of the property
        self.levels: dict[int, PriceLevel] = {}
        self.dirty: set[int] = set()
        self._keys: list[int] = []  # price * sign, ascending: the best price is the last

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def best(self) -> int | None:
        """Best price in ticks, None where the side is empty."""
        return self._keys[-1] * self._sign if self._keys else None

    @property
    def worst(self) -> int | None:
        """The price furthest from the touch, None where the side is empty."""
        return self._keys[0] * self._sign if self._keys else None

    def prices(self) -> Iterator[int]:
        """All prices, best first; the side must not change meanwhile."""
        sign = self._sign
        return (key * sign for key in reversed(self._keys))

    def depth(self, limit: int) -> list[tuple[int, int]]:
        """(price, displayed lots) of the best `limit` levels, best first."""
        sign = self._sign
        keys = self._keys[-limit:] if limit < len(self._keys) else self._keys
        return [(key * sign, self.levels[key * sign].total) for key in reversed(keys)]

    def reaches(self, price_ticks: int) -> bool:
        """Whether an order of the other side at this price would trade with this side now."""
        return bool(self._keys) and self._keys[-1] >= price_ticks * self._sign

    def rank(self, price_ticks: int) -> int:
        """How many levels are better than a price, occupied or not."""
        return len(self._keys) - bisect_right(self._keys, price_ticks * self._sign)

    def nth(self, rank: int) -> int:
        """The price that so many levels are better than; rank is below len(self)."""
        return self._keys[-1 - rank] * self._sign

    def touch(self, price_ticks: int) -> PriceLevel:
        """The level at a price, made if absent, and marked as changed."""
        self.dirty.add(price_ticks)
        level = self.levels.get(price_ticks)
        if level is None:
            level = self.levels[price_ticks] = PriceLevel()
            key = price_ticks * self._sign
            self._keys.insert(bisect_left(self._keys, key), key)
        return level

    def drop_if_empty(self, price_ticks: int) -> None:
        """Forget a level that holds nothing."""
        level = self.levels[price_ticks]
        if not level.orders and level.tail == 0:
            del self.levels[price_ticks]
            key = price_ticks * self._sign
            if self._keys[-1] == key:
                self._keys.pop()
            else:
                del self._keys[bisect_left(self._keys, key)]

    def displayed(self, price_ticks: int) -> int:
        """Lots displayed at a price, 0 where there is no level."""
        level = self.levels.get(price_ticks)
        return level.total if level is not None else 0

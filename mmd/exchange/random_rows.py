"""Counter-based randomness: row k of stream s under a seed is the same whatever was drawn before."""

import numpy as np

_BLOCK = 256


class RandomRows:
    """Rows of uniform numbers in [0, 1), addressed by their index.

    Two runs that use a different number of rows of one stream still agree on every row of every stream,
    so the same market meets different traders.
    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011), Philox.
    """

    def __init__(self, seed: int, stream: int, width: int) -> None:
        self._key = np.array([seed, stream], np.uint64)
        self._width = width
        self._block = -1
        self._rows: list[list[float]] = []

    def row(self, index: int) -> list[float]:
        """The row's numbers; rows are made 256 at a time, so reading in order is cheap."""
        block, at = divmod(index, _BLOCK)
        if block != self._block:
            counter = np.array([0, 0, 0, block], np.uint64)
            generator = np.random.Generator(np.random.Philox(key=self._key, counter=counter))
            self._rows = generator.random((_BLOCK, self._width)).tolist()
            self._block = block
        return self._rows[at]

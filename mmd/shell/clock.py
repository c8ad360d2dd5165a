"""The machine's clocks, read in one place: the engine's time and the wall's."""

import time


class SystemClock:
    """`mmd.core.ports.Clock` by the operating system; both calls cost ~50 ns."""

    __slots__ = ()
    monotonic_ns = staticmethod(time.monotonic_ns)
    unix_ns = staticmethod(time.time_ns)

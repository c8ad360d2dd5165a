"""The system clock: monotonic engine time, and wall time in Unix nanoseconds."""

import subprocess

from mmd.shell.clock import SystemClock


def test_engine_time_never_goes_back():
    """A thousand readings are in order."""
    clock = SystemClock()
    readings = [clock.monotonic_ns() for _ in range(1_000)]
    assert readings == sorted(readings)


def test_wall_time_is_unix_time():
    """The operating system's own `date` agrees to two seconds."""
    expected_s = int(subprocess.run(["date", "+%s"], capture_output=True, check=True).stdout)
    assert abs(SystemClock().unix_ns() / 1e9 - expected_s) < 2.0

"""Quoting uptime from samples."""

from mmd.core.quoting.uptime import Uptime


def test_time_counts_by_what_held_at_its_end():
    """The first sample starts the watch."""
    uptime = Uptime()
    assert uptime.ratio is None
    uptime.on_time(1_000, is_quoting=True)
    assert uptime.ratio is None
    uptime.on_time(1_300, is_quoting=True)
    uptime.on_time(1_400, is_quoting=False)
    assert (uptime.quoted_ns, uptime.timed_ns, uptime.ratio) == (300, 400, 0.75)

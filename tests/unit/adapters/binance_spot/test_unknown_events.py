"""Events of kinds that are not known: every one is counted, each kind is told once, and only some kinds at all."""

import structlog

from adapters.binance_spot.unknown_events import UnknownEvents


def test_a_venue_that_makes_up_names_fills_no_log():
    """Sixteen kinds are told, long names are cut."""
    unknown = UnknownEvents("test")
    with structlog.testing.capture_logs() as logged:
        for number in range(100):
            unknown.saw(f"{number:03}" * 100, "market_data")
            unknown.saw(f"{number:03}" * 100, "orders")
    assert unknown.count == 200
    assert [row["name"][:3] for row in logged] == [f"{n:03}" for n in range(16)]
    assert {len(row["name"]) for row in logged} == {80}
    assert {row["venue"] for row in logged} == {"test"}

"""Events of kinds that are not known: every one is counted, each kind is told once, and only some kinds at all."""

from adapters.binance_spot.unknown_events import UnknownEvents


def test_a_venue_that_makes_up_names_fills_no_log():
    """Sixteen kinds are told, long names are cut."""
    told: list[tuple[str, str]] = []
    unknown = UnknownEvents(lambda name, link: told.append((name, link)))
    for number in range(100):
        unknown.saw(f"{number:03}" * 100, "market_data")
        unknown.saw(f"{number:03}" * 100, "orders")
    assert unknown.count == 200
    assert [name[:3] for name, _ in told] == [f"{n:03}" for n in range(16)]
    assert {len(name) for name, _ in told} == {80}
    assert {link for _, link in told} == {"market_data"}

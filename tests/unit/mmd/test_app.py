"""The composition root: what settings become, and what it refuses before anything is started."""

from decimal import Decimal
from pathlib import Path

import pytest

from adapters.binance_spot.venue import BinanceSpotVenue
from mmd import app
from mmd.config import Settings, load
from mmd.core.events import DayMark, Decision, Reconciled
from mmd.core.trading_day import DayState
from mmd.core.units import NANOS_PER_SECOND, InstrumentId
from mmd.errors import ConfigError, JournalError
from mmd.journal.writer import JournalWriter
from mmd.shell.clock import SystemClock
from mmd.shell.venue_group import VenueGroup
from mmd.venue_fields import embedded_addresses
from tests.daemon import EMBEDDED
from tests.session import instrument, session_spec

SANDBOX = {
    "environment": "sandbox",
    "venues.embedded.rest_url": "https://testnet.binance.vision",
    "venues.embedded.stream_url": "wss://stream.testnet.binance.vision",
    "venues.embedded.api_url": "wss://ws-api.testnet.binance.vision/ws-api/v3",
}
SECOND = {
    "venues.second.adapter": "binance_spot",
    "venues.second.api_key": "embedded-key",
    "venues.second.api_secret": "embedded-secret",
}
START_S = 1_767_225_600
"""2026-01-01 00:00 UTC."""


class FixedClock:
    """Midnight."""

    def monotonic_ns(self) -> int:
        return 5

    def unix_ns(self) -> int:
        return START_S * NANOS_PER_SECOND


def settings(**overrides: object) -> Settings:
    return load(EMBEDDED, {key.replace("__", "."): value for key, value in overrides.items()})


def with_keys(overrides: dict[str, object]) -> Settings:
    return load(EMBEDDED, overrides)


def test_a_session_is_made_of_settings_and_time(tmp_path: Path) -> None:
    """Named by the second in which it began; money stays decimal, times are nanoseconds."""
    chosen = with_keys(
        {"journal.folder": str(tmp_path), "risk.loss_max": "12.5", "risk.stale_book_ms": "250"}
    )
    spec = app.session_spec(chosen, [instrument()], FixedClock())
    assert spec.session == START_S - 1_577_836_800
    assert (spec.started_unix_ns, spec.started_monotonic_ns) == (START_S * NANOS_PER_SECOND, 5)
    assert (spec.risk.loss_max, spec.risk.stale_book_ns) == (Decimal("12.5"), 250_000_000)
    assert (spec.instruments, spec.target_atoms) == ((instrument(),), (None,))
    later = app.session_spec(chosen, [instrument()], SystemClock())
    assert spec.session < later.session < 2**31


def test_position_is_carried_over_except_on_the_embedded_exchange(tmp_path: Path) -> None:
    """The previous session's target counts, by venue and symbol."""
    old = tmp_path / "20260101T000000-1"
    sandbox = session_spec(environment="sandbox")
    with JournalWriter(old, sandbox, segment_bytes=1, sync_ns=10**7) as journal:
        journal.event(Reconciled(1, "embedded", InstrumentId(0), 700))
    pair = [instrument(symbol="ODDUSDT"), instrument(id=InstrumentId(1))]
    carried = app.session_spec(
        with_keys(SANDBOX | {"journal.folder": str(tmp_path)}), pair, FixedClock()
    )
    assert carried.target_atoms == (None, 700)
    embedded = app.session_spec(with_keys({"journal.folder": str(tmp_path)}), pair, FixedClock())
    assert embedded.target_atoms == (None, None)


def test_the_days_loss_is_carried_over_except_to_an_exchange_of_our_own(tmp_path: Path) -> None:
    """An exchange that is started with us begins a world of its own."""
    day = START_S // 86_400
    for n, (environment, pnl_atoms) in enumerate((("sandbox", -700), ("embedded", -900))):
        began = session_spec(started_unix_ns=START_S * NANOS_PER_SECOND, environment=environment)
        with JournalWriter(
            tmp_path / f"20260101T000000-{n}", began, segment_bytes=1, sync_ns=10**7
        ) as journal:
            journal.event(DayMark(1, day, "USDT", pnl_atoms, 5))
    folder = {"journal.folder": str(tmp_path)}
    lost, played = (
        DayState(day=day, currency="USDT", pnl_atoms=atoms, peak_atoms=5) for atoms in (-700, -900)
    )
    for overrides, carried in (
        (SANDBOX, lost),
        ({"embedded.autostart": "false"}, played),
        ({}, None),
        (SANDBOX | {"risk.day_starts": "12:00"}, None),
    ):
        spec = app.session_spec(with_keys(overrides | folder), [instrument()], FixedClock())
        assert spec.day == carried


def test_a_journal_that_does_not_verify_stops_the_start(tmp_path: Path) -> None:
    """The position is in it; how to start without it is said."""
    old = tmp_path / "20260101T000000-1"
    with JournalWriter(old, session_spec(), segment_bytes=1 << 16, sync_ns=10**7) as journal:
        journal.event(Decision(1, 1))
    segment = old / "000001.mmdj"
    content = segment.read_bytes()
    segment.write_bytes(content[:40] + b"x" + content[41:])
    with pytest.raises(JournalError, match=r"set journal\.folder to a new folder"):
        app.session_spec(
            with_keys(SANDBOX | {"journal.folder": str(tmp_path)}), [instrument()], FixedClock()
        )
    # An embedded exchange begins a world of its own, whatever lies in the folder.
    app.session_spec(with_keys({"journal.folder": str(tmp_path)}), [instrument()], FixedClock())


def test_journals_are_named_by_utc_so_that_the_latest_sorts_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local time would go back once a year."""
    monkeypatch.setenv("TZ", "America/New_York")
    chosen = with_keys({"journal.folder": str(tmp_path)})
    with app.open_journal(
        chosen, app.session_spec(chosen, [instrument()], FixedClock())
    ) as journal:
        assert journal.folder.name.startswith("20260101T000000-")
        assert journal.folder.parent == tmp_path


def test_a_venue_is_made_for_the_address_that_the_exchange_got() -> None:
    """All three parts of the protocol are served there."""
    ((name, _, typed),) = app._venue_settings(settings(), ["http://127.0.0.1:5"])
    assert name == "embedded"
    assert typed.rest_url == "http://127.0.0.1:5"  # type: ignore[attr-defined]
    assert typed.stream_url == "ws://127.0.0.1:5"  # type: ignore[attr-defined]
    assert typed.api_url == "ws://127.0.0.1:5/ws-api/v3"  # type: ignore[attr-defined]
    venue = app.make_venue(settings(), ["http://127.0.0.1:5"], SystemClock())
    assert isinstance(venue, BinanceSpotVenue)
    assert venue.name == "embedded"


def test_observing_needs_no_keys_and_may_look_at_the_real_venue() -> None:
    """No orders, so no harm."""
    chosen = with_keys(
        {"environment": "sandbox", "quoting.enabled": "false", "venues.embedded.api_key": ""}
    )
    ((_, _, typed),) = app._venue_settings(chosen, [])
    assert typed.observe  # type: ignore[attr-defined]
    assert typed.rest_url == "https://api.binance.com"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (
            {"venues.embedded.adapter": "kraken"},
            r"venues\.embedded\.adapter: expected one of binance_spot.*'kraken'",
        ),
        ({"venues.embedded.bogus": "1"}, r"venues\.embedded\.bogus: unknown key"),
        (
            {"venues.embedded.api_secret": ""},
            r"venues\.embedded: api_key and api_secret.*expected both",
        ),
        (
            {"venues.second.adapter": "binance_spot"},
            r"venues\.second: api_key and api_secret.*expected both",
        ),
        ({"embedded.preset": "wild"}, r"embedded\.preset = 'wild': expected one of calm, default"),
        ({"environment": "sandbox"}, "rest_url: api.binance.com takes real orders"),
        (
            SANDBOX | {"venues.embedded.api_url": "wss://ws-api.binance.com/ws-api/v3"},
            "api_url: ws-api.binance.com takes real",
        ),
        (
            {"venues.embedded.rest_url": "https://api.binance.us"},
            "environment = embedded must not send",
        ),
    ],
)
def test_what_only_the_adapter_can_judge_is_refused_before_the_start(
    overrides: dict[str, object], says: str
) -> None:
    """Key, value, expectation."""
    with pytest.raises(ConfigError, match=says) as caught:
        app.check(with_keys(overrides))
    assert "embedded-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "overrides", [{}, SANDBOX, {"environment": "live", "live_confirmed": "true"}]
)
def test_good_settings_pass(overrides: dict[str, object]) -> None:
    """In every environment."""
    app.check(with_keys(overrides))


def test_the_exchanges_command_line_is_the_settings() -> None:
    """A tape is served to its end and over only where nothing trades on it."""
    assert app.exchange_arguments(settings(embedded__port=0, seed=3)) == [
        "--host", "127.0.0.1", "--port", "0", "--seed", "3", "--preset", "default", "--speed", "1",
    ]  # fmt: skip
    tape = {"embedded.tape": [Path("a.gz"), Path("b.gz")]}
    traded = app.exchange_arguments(with_keys(tape))
    assert traded[-4:] == ["--tape", "a.gz", "--tape", "b.gz"]
    watched = app.exchange_arguments(
        with_keys(tape | {"quoting.enabled": "false", "embedded.speed": "max"})
    )
    assert watched[-1] == "--exit-at-end"
    with pytest.raises(ConfigError, match=r"embedded\.speed.*--observe"):
        app.exchange_arguments(with_keys(tape | {"embedded.speed": "max"}))


def test_the_embedded_address_is_for_the_embedded_environment() -> None:
    """Elsewhere the adapter's own addresses hold."""
    assert embedded_addresses(settings(embedded__port=9)) == ["http://127.0.0.1:9"]
    assert embedded_addresses(with_keys(SANDBOX)) == []
    two = with_keys(SECOND | {"embedded.port": 9, "embedded.lag_ms": 200})
    assert embedded_addresses(two) == ["http://127.0.0.1:9", "http://127.0.0.1:10"]
    assert app.exchange_arguments(two)[-4:] == ["--venues", "2", "--lag-ms", "200.0"]
    assert "--venues" not in app.exchange_arguments(settings())


def test_several_venues_are_one_group() -> None:
    """Each with its own address and name; none is made before it is known where its instruments begin."""
    chosen = with_keys(SECOND)
    found = app._venue_settings(chosen, ["http://127.0.0.1:5", "http://127.0.0.1:6"])
    assert [(name, typed.rest_url) for name, _, typed in found] == [  # type: ignore[attr-defined]
        ("embedded", "http://127.0.0.1:5"),
        ("second", "http://127.0.0.1:6"),
    ]
    group = app.make_venue(chosen, ["http://127.0.0.1:5", "http://127.0.0.1:6"], SystemClock())
    assert isinstance(group, VenueGroup)
    assert group.name == "embedded+second"
    assert group.members == {}


def test_all_kernels_come_from_the_cache_the_second_time() -> None:
    """Which is what `mmd check --kernels` is for."""
    app.compile_kernels(settings())
    assert app.compile_kernels(settings()).compiled == 0


def test_budgets_of_a_venue_that_there_is_not_are_refused() -> None:
    """A mistyped name would leave the venue with everybody's limits."""
    with pytest.raises(
        ConfigError, match=r"risk\.venues\.nowhere: no such venue; expected one of embedded"
    ):
        app.check(with_keys({"risk.venues.nowhere.orders_per_day": "9"}))

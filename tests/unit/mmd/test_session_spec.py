"""Live sessions, backtests and simulations are made of the same settings, every section of them."""

import msgspec

from mmd import app
from mmd.backtest.session import backtest_spec
from mmd.config import Settings, load
from mmd.core.spec import SessionSpec
from mmd.session_spec import Beginning, spec_from_settings
from mmd.shell.clock import SystemClock
from mmd.simulation.session import simulated_spec
from tests.daemon import EMBEDDED
from tests.session import instrument

CHANGED = {
    "quoting.levels": "2",
    "quoting.strategy": "full",
    "risk.loss_max": "12.5",
    "adverse_selection.z_threshold": "2.5",
    "construction.volatility_skew": "0.5",
    "arbitrage.profit_min": "3",
    "inventory.var_max": "40",
    "hedge.route": "same",
    "models.horizon_bars": "7",
}
"""One setting of each section, none at its default."""
BEGINNING = frozenset(Beginning.__struct_fields__) | {
    "schema",
    "version",
    "instruments",
    "book_shows_own",
}
"""What a session states of its beginning; everything else is how it trades."""


def trading_fields(spec: SessionSpec) -> dict[str, object]:
    """What a spec says of how to trade."""
    return {
        name: getattr(spec, name) for name in SessionSpec.__struct_fields__ if name not in BEGINNING
    }


def specs_of(settings: Settings) -> list[SessionSpec]:
    """A live session's, a backtest's and a simulation's."""
    pair = instrument()
    return [
        app.session_spec(settings, [pair], SystemClock()),
        backtest_spec(settings, pair, 10**18, 1),
        simulated_spec(settings, (pair,), 1),
    ]


def test_every_section_reaches_every_kind_of_session():
    """Whatever is set is traded by, live, on a tape and in a simulation."""
    live, backtest, simulated = specs_of(load(EMBEDDED, CHANGED))
    assert trading_fields(live) == trading_fields(backtest) == trading_fields(simulated)
    plain = trading_fields(specs_of(load(EMBEDDED))[0])
    unmoved = [name for name, value in trading_fields(live).items() if value == plain[name]]
    assert unmoved == [], "each field must follow its section: a new one needs a line in CHANGED"


def test_every_section_that_has_an_engines_form_is_part_of_the_spec():
    """A new section of the settings cannot be left out of sessions."""
    settings = load(EMBEDDED, CHANGED)
    spec = specs_of(settings)[0]
    parts = list(trading_fields(spec).values())
    for name in Settings.model_fields:
        section = getattr(settings, name)
        if hasattr(section, "spec"):
            given = (settings.quoting,) if name == "models" else ()
            assert section.spec(*given) in parts, f"settings section {name} is not in the spec"


def test_only_a_tape_and_paper_do_not_show_our_orders():
    """There is nothing to take out where nobody else sees them, and nothing is where the settings say so."""
    live, backtest, simulated = specs_of(load(EMBEDDED))
    assert (live.book_shows_own, backtest.book_shows_own, simulated.book_shows_own) == (
        True,
        False,
        True,
    )
    kept = load(EMBEDDED, {"construction.own_orders_removed": "false"})
    assert not any(spec.book_shows_own for spec in specs_of(kept))


def test_a_beginning_names_fields_of_the_spec():
    """What differs between kinds of sessions is said in the spec's own words; without targets there are none."""
    named = set(Beginning.__struct_fields__) - {"is_own_shown"}
    assert named <= set(SessionSpec.__struct_fields__)
    pair = (instrument(), instrument(id=1, symbol="ODDUSDT"))
    beginning = Beginning(
        session=3,
        environment="backtest",
        started_unix_ns=4,
        started_monotonic_ns=5,
        seed=6,
        is_own_shown=True,
    )
    spec = spec_from_settings(load(EMBEDDED), pair, beginning)
    assert spec.target_atoms == (None, None)
    for name in named - {"target_atoms"}:
        assert getattr(spec, name) == getattr(beginning, name)
    assert msgspec.json.decode(msgspec.json.encode(spec), type=SessionSpec) == spec

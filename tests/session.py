"""A session to test with: one instrument on an ordinary grid, default quoting and risk."""

from decimal import Decimal

from mmd.config_construction import ConstructionSection
from mmd.config_quoting import QuotingSection
from mmd.config_risk import RiskSection
from mmd.core.instrument import Instrument
from mmd.core.quoting.construction import ConstructionSpec
from mmd.core.spec import SCHEMA, QuotingSpec, RiskSpec, SessionSpec
from mmd.core.units import InstrumentId

SESSION = 0x5E55104


def instrument(**changes: object) -> Instrument:
    """MMDUSDT: tick 0.01, lot 0.001, least notional 5."""
    fields: dict[str, object] = {
        "id": InstrumentId(0),
        "venue": "embedded",
        "symbol": "MMDUSDT",
        "base": "MMD",
        "quote": "USDT",
        "settle": "USDT",
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.001"),
        "notional_min": Decimal(5),
    }
    return Instrument(**(fields | changes))  # type: ignore[arg-type]


def quoting(**changes: object) -> QuotingSpec:
    """Default quoting with changes, in the user's units."""
    return QuotingSection(**changes).spec()  # type: ignore[arg-type]


def risk(**changes: object) -> RiskSpec:
    """Default limits with changes, in the user's units; feeds of tests state times of no particular clock."""
    return RiskSection(**({"feed_latency_ms_max": 0} | changes)).spec()  # type: ignore[arg-type]


def construction(**changes: object) -> ConstructionSpec:
    """Default construction with changes, in the user's units."""
    return ConstructionSection(**changes).spec()  # type: ignore[arg-type]


def session_spec(**changes: object) -> SessionSpec:
    """A session over `instrument()`."""
    fields: dict[str, object] = {
        "schema": SCHEMA,
        "version": "test",
        "session": SESSION,
        "environment": "embedded",
        "started_unix_ns": 1_700_000_000_000_000_000,
        "started_monotonic_ns": 0,
        "seed": 7,
        "instruments": (instrument(),),
        "target_atoms": (None,),
        "quoting": quoting(),
        "risk": risk(),
        "construction": construction(),
    }
    return SessionSpec(**(fields | changes))  # type: ignore[arg-type]

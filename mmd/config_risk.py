"""The settings of risk control: limits, what happens at them, and scheduled blackouts."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from mmd.config_section import NS_PER_MS, Section, seconds_of_day
from mmd.core.blackouts import DAY_S, WEEK_S, Blackout
from mmd.core.spec import RiskSpec, VenueBudgets
from mmd.core.units import NANOS_PER_SECOND

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONDAY_S = 4 * DAY_S
"""Unix time began on a Thursday."""
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
Clock = Annotated[str, StringConstraints(pattern=f"^{_CLOCK}$")]
_LIMIT_OFF = "; unset: no limit"


class BlackoutSection(Section):
    """One span in which nothing is added to any position, e.g. a release or the venue's maintenance. UTC."""

    every: Literal[
        "once", "day", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
    ] = Field("once", description="once, every day, or on a day of the week")
    start: str = Field(
        description="once: 2026-12-01T13:30:00Z; else HH:MM",
        pattern=rf"^({_CLOCK}|\d{{4}}-\d\d-\d\dT.+(Z|[+-]\d\d:\d\d))$",
    )
    duration_s: int | None = Field(default=None, ge=1, description="how long; or else `end`")
    end: str | None = Field(default=None, description="as `start`; or else `duration_s`")
    reason: str = Field("", max_length=80, description="for people")

    @model_validator(mode="after")
    def _is_a_span(self) -> "BlackoutSection":
        if (self.duration_s is None) == (self.end is None):
            raise ValueError(f"blackout from {self.start}: expected one of duration_s and end")
        if (self.every == "once") == (len(self.start) == len("HH:MM")):
            raise ValueError(
                f"blackout start {self.start!r} with every = {self.every!r}: expected a date and time with its "
                "zone for once, else HH:MM"
            )
        self.spec()
        return self

    def spec(self) -> Blackout:
        """The engine's form: unix seconds. Raises: ConfigError, ValueError."""
        if self.every == "once":
            start_s, period_s = _unix_s(self.start), 0
            end_s = start_s if self.end is None else _unix_s(self.end)
        else:
            weekday_s = 0
            period_s = DAY_S
            if self.every != "day":
                weekday_s, period_s = _MONDAY_S + _WEEKDAYS.index(self.every) * DAY_S, WEEK_S
            start_s = weekday_s + seconds_of_day(self.start)
            end_s = start_s if self.end is None else weekday_s + seconds_of_day(self.end)
            if end_s < start_s:  # over midnight
                end_s += DAY_S
        duration_s = end_s - start_s if self.duration_s is None else self.duration_s
        if duration_s < 1 or 0 < period_s <= duration_s:
            raise ValueError(
                f"blackout from {self.start} lasts {duration_s} s: expected at least a second and less than "
                f"the time until it comes again"
            )
        return Blackout(
            start_s=start_s, duration_s=duration_s, period_s=period_s, reason=self.reason
        )


class VenueBudgetsSection(Section):
    """[risk.venues.<name>]: budgets of one venue; what is not set is as in [risk]."""

    orders_per_10s: int | None = Field(
        default=None, ge=2, description="order budget of 10 seconds there"
    )
    orders_per_day: int | None = Field(
        default=None, ge=2, description="order budget of a day there"
    )
    messages_per_minute: int | None = Field(
        default=None, ge=2, description="request budget of a minute there"
    )


class RiskSection(Section):
    """Hard limits. Positions and orders in the quote currency of each instrument, the rest in the reporting one."""

    position_notional_max: Decimal = Field(
        Decimal(1000), gt=0, description="largest position, worst case included"
    )
    order_notional_max: Decimal = Field(Decimal(500), gt=0, description="largest order")
    collar_bps: float = Field(200.0, gt=0, description="largest distance of an order from mid")
    open_orders_max: int = Field(8, ge=1, description="open orders a side")
    orders_per_10s: int = Field(80, ge=1, description="order budget of 10 seconds, at each venue")
    orders_per_day: int = Field(160_000, ge=1, description="order budget of a day, at each venue")
    orders_reserve_ratio: float = Field(
        0.25,
        ge=0,
        le=0.9,
        description="share of each order budget's burst (half the budget) that only orders reducing risk may use",
    )
    backoff_ms_max: int = Field(
        1_000,
        ge=0,
        description="longest wait after requests that a venue turned away untried; it doubles from 50 ms; 0: none",
    )
    messages_per_minute: int = Field(
        5_000, ge=1, description="request budget of a minute, at each venue"
    )
    venues: dict[str, VenueBudgetsSection] = Field(
        default={},
        description="venues whose budgets are others than these; every venue has its own",
    )
    stale_book_ms: int = Field(3_000, gt=0, description="no quotes on a book older than this")
    stale_book_pauses: float = Field(
        30.0,
        ge=0,
        description="or than so many mean pauses of its feed, if that is longer; 0: none",
    )
    stale_book_ms_max: int = Field(30_000, gt=0, description="the longest that those come to")
    reporting_currency: str = Field(
        "", description="of losses and exposures; empty: the first instrument's quote currency"
    )
    capital_base: Decimal = Field(
        Decimal(0), ge=0, description="what returns are measured against; 0: not stated"
    )
    exposure_gross_max: Decimal | None = Field(
        default=None, gt=0, description=f"sum of all positions, worst case{_LIMIT_OFF}"
    )
    exposure_net_max: Decimal | None = Field(
        default=None, gt=0, description=f"longs less shorts, worst case{_LIMIT_OFF}"
    )
    venue_gross_max: Decimal | None = Field(
        default=None, gt=0, description=f"as exposure_gross_max, of one venue{_LIMIT_OFF}"
    )
    venue_net_max: Decimal | None = Field(
        default=None, gt=0, description=f"as exposure_net_max, of one venue{_LIMIT_OFF}"
    )
    asset_gross_max: Decimal | None = Field(
        default=None, gt=0, description=f"as exposure_gross_max, of one base asset{_LIMIT_OFF}"
    )
    asset_net_max: Decimal | None = Field(
        default=None, gt=0, description=f"as exposure_net_max, of one base asset{_LIMIT_OFF}"
    )
    clock_offset_ms_max: int = Field(
        0,
        ge=0,
        description="no quotes where the venue's clock and ours differ by more, although requests make up for it; "
        "cautious from half; 0: off",
    )
    feed_latency_ms_max: int = Field(
        2_000,
        ge=0,
        description="no quotes on events older than this when they come; cautious from half; 0: off",
    )
    order_to_trade_max: int = Field(
        0, ge=0, description="orders of a day for each fill, beyond the grace; 0: off"
    )
    order_to_trade_grace: int = Field(1_000, ge=1, description="orders of a day that need no fill")
    blackouts: tuple[BlackoutSection, ...] = Field(
        default=(), description="[[risk.blackouts]]: spans of time without quotes"
    )
    loss_max: Decimal = Field(Decimal(50), gt=0, description="day loss that halts")
    drawdown_max: Decimal = Field(
        Decimal(50), gt=0, description="fall from the day's peak that halts"
    )
    on_loss: Literal["halt", "flatten"] = Field(
        "halt", description="at either: keep the position, or close it by taking; then halt"
    )
    day_starts: Clock = Field("00:00", description="when the day rolls, UTC")
    adverse_streak_max: int = Field(
        10,
        ge=0,
        description="fills in a row with a negative markout that make cautious; twice as many reduce only; 0: off",
    )
    adverse_horizon_s: Literal["0.1", "1", "5", "30"] = Field(
        "1", description="after so many seconds a fill is judged for that"
    )
    position_drift_max: Decimal = Field(
        Decimal(1),
        ge=0,
        description="holdings at the venue that our fills do not explain, in quote currency; more reduce only",
    )
    rejects_max: int = Field(
        20, ge=1, description="rejects within the window that reduce only; cautious from half"
    )
    rejects_window_ms: int = Field(10_000, gt=0, description="that window")
    feed_messages_per_s_max: int = Field(
        2_000,
        ge=0,
        description="market data messages of an instrument within a second that make cautious; 0: off",
    )
    caution_hold_ms: int = Field(
        30_000, ge=0, description="time of health before caution is given up"
    )
    private_down_ms: int = Field(
        3_000, ge=0, description="orders are taken back when order entry has been down for this"
    )
    flatten_slippage_bps: float = Field(
        50.0, ge=0, description="how far through the touch a flattening order may take"
    )

    def spec(self) -> RiskSpec:
        """The engine's form: nanoseconds for milliseconds, the rest as it stands."""
        fields = self.model_dump(exclude={"blackouts", "venues"})
        for key in ("stale_book", "rejects_window", "caution_hold", "private_down"):
            fields[f"{key}_ns"] = fields.pop(f"{key}_ms") * NS_PER_MS
        for key in ("backoff", "clock_offset", "feed_latency", "stale_book"):
            fields[f"{key}_ns_max"] = fields.pop(f"{key}_ms_max") * NS_PER_MS
        horizon_s = Decimal(fields.pop("adverse_horizon_s"))
        return RiskSpec(
            **fields | {"day_starts_s": seconds_of_day(fields.pop("day_starts"))},
            adverse_horizon_ns=int(horizon_s * NANOS_PER_SECOND),
            blackouts=tuple(b.spec() for b in self.blackouts),
            budgets_by_venue=True,
            venue_budgets=tuple(self._budgets_at(name) for name in self.venues),
        )

    def _budgets_at(self, venue: str) -> VenueBudgets:
        own = self.venues[venue].model_dump(exclude_none=True)
        whole = {
            name: own.get(name, getattr(self, name)) for name in VenueBudgetsSection.model_fields
        }
        return VenueBudgets(venue=venue, **whole)


def _unix_s(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"blackout time {text!r}: expected its zone, e.g. a Z behind it")
    return int(moment.astimezone(UTC).timestamp())

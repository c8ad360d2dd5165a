"""Fair value that follows another instrument: its microprice in our currency and ticks, less the usual difference.

The same asset trades in several places, and news reach one of them first. What the leader is worth in our ticks,
through a live conversion rate where its quote currency is another, differs from our own microprice by a basis:
fees, funding, the price of one stablecoin in another. Its slow average is taken off, so that only what the leader
has done lately moves our fair value: fair = lead + average(own - lead), at most a set distance from our own.
The leader has a staleness limit of its own; without it, and before the basis has been watched for WATCHED_S_MIN,
our own market alone decides.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from mmd.core.instrument import Instrument
from mmd.core.market_view import MarketView
from mmd.core.risk.commitments import conversion
from mmd.core.spec import QuotingSpec
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ConfigError

WATCHED_S_MIN: Final = 10.0


class LeadSettings(NamedTuple):
    """How closely to follow."""

    stale_ns: int
    """A leader whose book has not changed for longer is not followed."""
    basis_halflife_s: float
    shift_bps_max: float
    """How far fair value may be moved away from our own microprice."""


class Lead:
    """One instrument's leader.

    Attributes:
        symbol: "<venue>:<symbol>" of the leader.
        is_followed: whether the last decision was taken with it.
        shift_ticks: by how much it moved our fair value then.
    """

    def __init__(
        self,
        own: tuple[Instrument, MarketView],
        lead: tuple[Instrument, MarketView],
        rate: tuple[Instrument, MarketView, bool] | None,
        settings: LeadSettings,
    ) -> None:
        """`rate` is what converts the leader's quote currency into ours, and whether inversely; None: it is ours."""
        self.symbol = name_of(lead[0])
        self.is_followed = False
        self.shift_ticks = 0.0
        self._view, self._own, self._settings = lead[1], own[1], settings
        self._per_tick = float(lead[0].tick_size / own[0].tick_size)
        self._rate = rate
        self._rate_half_tick = 0.0 if rate is None else float(rate[0].tick_size) / 2
        self._centre = memoryview(lead[1].features["centre"])
        self._own_centre = memoryview(own[1].features["centre"])
        self._watched_ns = 0
        self._watched_s = 0.0
        self._weight = self._sum_ticks = 0.0

    @property
    def basis_ticks(self) -> float | None:
        """Usual difference of our microprice and the leader's; None until it has been watched long enough."""
        return self._sum_ticks / self._weight if self._watched_s >= WATCHED_S_MIN else None

    def shift(self, now_ns: int) -> float:
        """Ticks to add to our own microprice at a decision; 0.0 where the leader cannot be followed."""
        basis, lead_ticks = self.basis_ticks, self._lead_ticks(now_ns)
        self.is_followed = basis is not None and lead_ticks is not None
        if basis is None or lead_ticks is None:
            self.shift_ticks = 0.0
            return 0.0
        own = self._own_centre[0]
        most = self._settings.shift_bps_max * 1e-4 * own
        self.shift_ticks = min(max(lead_ticks + basis - own, -most), most)
        return self.shift_ticks

    def on_time(self, now_ns: int) -> None:
        """Watch the basis; to be called about once a second."""
        lead_ticks = self._lead_ticks(now_ns)
        elapsed_s = (now_ns - self._watched_ns) / NANOS_PER_SECOND if self._watched_ns else 0.0
        self._watched_ns = now_ns
        if lead_ticks is None or not self._own.is_synced or self._own.is_crossed:
            return
        elapsed_s = min(elapsed_s, 2.0)
        keep = 0.5 ** (elapsed_s / self._settings.basis_halflife_s)
        self._weight = keep * self._weight + (1.0 - keep)
        self._sum_ticks *= keep
        self._sum_ticks += (1.0 - keep) * (self._own_centre[0] - lead_ticks)
        self._watched_s += elapsed_s

    def _lead_ticks(self, now_ns: int) -> float | None:
        """The leader's microprice in our ticks; None where its market or the rate is not known now."""
        view = self._view
        is_known = view.is_synced and not view.is_crossed
        if not is_known or now_ns - view.changed_ns > self._settings.stale_ns:
            return None
        ticks: float = self._centre[0] * self._per_tick
        if self._rate is None:
            return ticks
        _, rate_view, is_inverse = self._rate
        if not rate_view.is_synced or rate_view.is_crossed:
            return None
        rate = rate_view.mid_half_ticks * self._rate_half_tick
        return ticks / rate if is_inverse else ticks * rate


def leads(makers: Sequence[tuple[Instrument, MarketView]], spec: QuotingSpec) -> list[Lead | None]:
    """The leader of each instrument: the one configured leads all others of its base asset.

    Raises:
        ConfigError: it is not in the session, or nothing converts its quote currency.
    """
    instruments = [instrument for instrument, _ in makers]
    at = [k for k, instrument in enumerate(instruments) if name_of(instrument) == spec.lead]
    if spec.lead == "":
        return [None] * len(makers)
    if not at:
        raise ConfigError(
            f"quoting.lead = {spec.lead}: expected an instrument of the session, found "
            f"{', '.join(map(name_of, instruments))}: add it, or leave lead empty"
        )
    lead = makers[at[0]]
    return [
        _lead_of(own, lead, makers, spec)
        if own[0].base == lead[0].base and own is not lead
        else None
        for own in makers
    ]


def _lead_of(
    own: tuple[Instrument, MarketView],
    lead: tuple[Instrument, MarketView],
    makers: Sequence[tuple[Instrument, MarketView]],
    spec: QuotingSpec,
) -> Lead:
    try:
        by = conversion(lead[0], [instrument for instrument, _ in makers], own[0].quote)
    except ConfigError:
        raise ConfigError(
            f"quoting.lead = {spec.lead}: {name_of(own[0])} is quoted in {own[0].quote}, expected an instrument "
            f"between that and {lead[0].quote} to convert by, found none: add one or change the lead"
        ) from None
    rate = None if by.instrument is None else (*makers[by.instrument], by.is_inverse)
    return Lead(
        own,
        lead,
        rate,
        LeadSettings(spec.lead_stale_ns, spec.lead_basis_halflife_s, spec.lead_shift_bps_max),
    )


def name_of(instrument: Instrument) -> str:
    """How an instrument is named in settings: <venue>:<symbol>."""
    return f"{instrument.venue}:{instrument.symbol}"

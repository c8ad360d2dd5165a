"""The ordinary end of a bar: only champions are at work, computed here, and nothing speaks against them."""

from functools import partial
from typing import Any, Final, NamedTuple

from mmd.core.learned.bar import BAR, close_bar, conclude
from mmd.core.learned.model_run import PriceRun
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.seats import Seats
from mmd.core.learned.served_model import ModelRole
from mmd.jit.kernel import Rec, bind, new
from mmd.jit.places import places

_CHAMPION: Final = ModelRole.CHAMPION
_ALONE: Final = frozenset({_CHAMPION})


class Records(NamedTuple):
    """Of one instrument's market and quotes."""

    features: Rec
    flow: Rec
    vol: Rec
    quote: Rec


class OrdinaryBar:
    """One instrument's.

    Attributes:
        close: closes the bar at hand if it has ended; see `mmd.core.learned.bar.close_bar`.
        conclude: what follows the network's step, see `mmd.core.learned.bar.conclude`.
        is_ordinary: whether it may be called: the next bar is an ordinary one.
        network: the champion's; None where there is none.
    """

    __slots__ = (
        "_at",
        "_bar",
        "_held",
        "_prediction",
        "_seats",
        "close",
        "conclude",
        "is_ordinary",
        "network",
    )

    def __init__(
        self, spec: ModelsSpec, seats: Seats, records: Records, samples: Rec, prediction: Rec
    ) -> None:
        self._seats, self._prediction = seats, prediction
        self._bar: Rec = new(BAR)
        self._bar["late_ns"] = spec.late_bars * spec.bar_ns
        kept = {"samples": samples, "prediction": prediction, "memory": seats.memory.record}
        nobody = dict.fromkeys(("said", "forest", "score", "choice", "policy"), self._bar)
        self._at: Rec = places(**kept, **records._asdict(), bar=self._bar, **nobody)
        self._held: tuple[Any, ...] = (kept, records)
        self.close = partial(bind(close_bar, self._at, 0), self._at)
        self.conclude = partial(bind(conclude, self._at, 0, 0), self._at)
        self.is_ordinary = False
        self.network: PriceRun | None = None

    @property
    def statuses(self) -> tuple[int, int]:
        """PartStatus of price and spread, as they were written last."""
        p = self._prediction
        return int(p["price_status"][0]), int(p["spread_status"][0])

    def doubt(self, *, is_doubted: bool) -> None:
        """Whether drift forbids the forecast from now on."""
        self._bar["is_doubted"] = is_doubted

    def arrange(self, *, may_be: bool) -> None:
        """See who is seated; `may_be` is whether nothing but that can keep bars from being ordinary."""
        seats = self._seats
        network = seats.price.get(_CHAMPION)
        others = {*seats.price, *seats.spread, *seats.policy} - _ALONE
        self.is_ordinary = may_be and not others and isinstance(network, PriceRun | None)
        self.network = network if isinstance(network, PriceRun) else None
        self._place(self.network)

    def _place(self, network: PriceRun | None) -> None:
        """Write the addresses of what is seated."""
        seats, at = self._seats, self._at
        trees, table = seats.spread.get(_CHAMPION), seats.policy.get(_CHAMPION)
        score = seats.scores.get(_CHAMPION)
        self._held = (*self._held[:2], network, trees, table, score)
        at["said"] = 0 if network is None else network.said_at
        at["forest"] = 0 if trees is None else trees.record.ctypes.data
        at["score"] = 0 if score is None else score.record.ctypes.data
        at["choice"] = 0 if table is None else table.record.ctypes.data
        at["policy"] = 0 if table is None else table.policy.ctypes.data
        if network is not None:
            self._bar["change_scale"] = network.change_scale
            self._bar["volatility_scale"] = network.volatility_scale

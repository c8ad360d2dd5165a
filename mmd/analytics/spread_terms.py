"""What a spread model's half spread is made of, by model; the last part is what remains of it."""

import math
from collections.abc import Callable

import msgspec

from mmd.core.quoting.record import ASK, BID
from mmd.core.spec import QuotingSpec
from mmd.core.units import Side
from mmd.jit.kernel import Rec


class Term(msgspec.Struct, frozen=True):
    """One addend of a price, in ticks."""

    name: str
    ticks: float
    why: str = ""
    """What it was made of."""


_Parts = tuple[list[Term], str, str]
"""Known parts, the name of what remains, and what that is made of."""


def model_parts(name: str, spec: QuotingSpec, quote: Rec, side: Side) -> list[Term]:
    """The parts of quote.offset of a side, in ticks away from fair value; they add up to it.

    A model that is not known here is one part.
    """
    decompose = _MODELS.get(name)
    unknown: _Parts = [], f"{name} half spread", ""
    known, rest, why = unknown if decompose is None else decompose(spec, quote, side)
    offset = float(quote["offset"][side])
    return [*known, Term(rest, offset - sum(t.ticks for t in known), why)]


def _optimum(quote: Rec, side: Side) -> Term:
    """c1, the half spread that earns most without risk."""
    gamma, decay = float(quote["gamma"]), float(quote["decay"][side])
    c1 = math.log1p(gamma / decay) / gamma
    return Term("c1 = ln(1+gamma/k)/gamma", c1, f"gamma {gamma:.4g}, k {decay:.4g} per tick")


def _glft(spec: QuotingSpec, quote: Rec, side: Side) -> _Parts:
    impact = float(quote["impact"])
    xi = Term("adverse impact xi/2", 0.5 * impact, f"xi {impact:.4g} ticks")
    form = spec.glft_form
    why = (
        f"sigma {float(quote['sigma']):.4g}, A {float(quote['rate'][side]):.4g}, k, gamma ({form})"
    )
    return [_optimum(quote, side), xi], "inventory risk", why


def _avellaneda_stoikov(_: QuotingSpec, quote: Rec, side: Side) -> _Parts:
    why = f"gamma sigma^2 tau / 2, close in {float(quote['tau_s']):.0f} s"
    return [_optimum(quote, side)], "risk to the close", why


def _fixed(spec: QuotingSpec, _: Rec, __: Side) -> _Parts:
    return [], "fixed half spread", f"{spec.fixed_half_spread_bps:g} bps"


def _ho_stoll(spec: QuotingSpec, quote: Rec, side: Side) -> _Parts:
    if spec.ho_stoll_form == "linear":
        decay = float(quote["decay"][side])
        return (
            [Term("1/k", 1.0 / decay, f"k {decay:.4g} per tick")],
            "risk of a fill",
            "gamma sigma^2 tau / 4",
        )
    fee, adverse = float(quote["fee"]), float(quote["adverse_cost"])
    processing = spec.ho_stoll_processing_bps * 1e-4 * float(quote["mid"])
    parts = [
        Term("processing cost", fee + processing, f"fee {fee:.4g} ticks"),
        Term("adverse-selection cost", adverse, "measured"),
    ]
    return parts, "inventory cost", "gamma sigma^2 tau / 2"


def _dynamic(_: QuotingSpec, quote: Rec, __: Side) -> _Parts:
    why = (
        f"sigma {float(quote['sigma']):.4g}, A {float(quote['rate'][BID]):.3g} {float(quote['rate'][ASK]):.3g}, "
        f"adverse {float(quote['adverse_ratio']):.2f}, activity {float(quote['activity']):.2f}"
    )
    return [], "dynamic half spread", why


_MODELS: dict[str, Callable[[QuotingSpec, Rec, Side], _Parts]] = {
    "glft": _glft,
    "avellaneda_stoikov": _avellaneda_stoikov,
    "fixed": _fixed,
    "ho_stoll": _ho_stoll,
    "dynamic": _dynamic,
}

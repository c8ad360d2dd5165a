"""The sessions of `make alerts`: settings that bring a limit near, and faults in the order in which they are made."""

import shutil
import signal
import time
from pathlib import Path

from tests.alerts import lying, model_faults
from tests.alerts.faults import (
    Fault,
    Session,
    blind,
    busy,
    buy_by_hand,
    fill_disk,
    gaps,
    nothing,
    on_child,
    on_exchange,
    pause,
    pause_guardian,
    slow_disk,
    start_anew,
    stop_engine,
    stutter,
    until_calm,
)

_STORM = Path(__file__).with_name("storm.json")

NOT_LIVE = {
    "PnlIdentityError": "two integers that are equal by construction; only a fault in the code could raise it",
}
"""Alerts that are not caused live, and why; each fires in a rule test."""


def sessions(disk: Path | None) -> list[Session]:
    """All of them; those that need a small disk of their own only where there is one."""
    made = [
        Session(
            "links and processes",
            (),
            (
                Fault("depth messages go missing eleven times", gaps, ("FeedGaps",)),
                Fault("a gap while every request is refused for 25 s", blind, ("BookSyncLost",)),
                Fault(
                    "the exchange's clock 1.5 s behind",
                    lambda s: s.fault("clock", shift_ms=-1500),
                    ("FeedLate", "ClockOff"),
                    150,
                ),
                Fault(
                    "the exchange's clock is right again; somebody trades by hand",
                    lambda s: (s.fault("clock", shift_ms=0), buy_by_hand(s))[0],
                    ("ForeignOrders",),
                ),
                Fault(
                    "the venue answers 60 requests with 504, execution unknown",
                    lambda s: s.fault("fail", status=504, count=60),
                    ("OrdersUnknown",),
                ),
                Fault(
                    "the engine stops for 0.2 s 25 times",
                    lambda s: stutter(s.daemon.children()["engine"]),
                    ("LoopLag",),
                ),
                Fault(
                    "the engine stops for 12 s",
                    lambda s: pause(s.daemon.children()["engine"], 12),
                    ("EngineHung",),
                ),
                Fault("ops is killed", on_child("ops", signal.SIGKILL), ("OpsRestarted",)),
                Fault(
                    "mmd cancel-all",
                    lambda s: s.operate("cancel_all"),
                    ("RiskLevelRaised", "NotQuoting"),
                ),
                Fault("mmd halt", lambda s: s.operate("halt"), ("Halted",)),
                Fault("mmd resume", lambda s: s.operate("resume"), ()),
                Fault("the exchange falls silent", on_exchange(signal.SIGSTOP), ("BookStale",)),
                Fault(
                    "the exchange dies", on_exchange(signal.SIGKILL), ("FeedDown", "OrderEntryDown")
                ),
                Fault("the daemon dies", lambda s: s.daemon.process.kill(), ("TargetDown",)),
            ),
        ),
        Session(
            "near its limits",
            (
                "risk.orders_per_10s=12",
                "inventory.position_age_max_h=0.001",
            ),
            (
                Fault("an order budget of 12 in 10 s", nothing, ("HeadroomLow",), 90),
                Fault("positions are old after 4 s", nothing, ("InventoryStuck",), 120),
            ),
        ),
        Session(
            "losing",
            ("risk.drawdown_max=0.05",),
            (Fault("a drawdown limit of 0.05 USDT", nothing, ("LossNearLimit",), 120),),
        ),
        Session(
            "refused",
            ("risk.rejects_max=6",),
            (
                Fault(
                    "every request is refused with 429 for 20 s",
                    lambda s: s.fault("limit", seconds=20),
                    ("RejectsHigh", "RejectStorm"),
                ),
            ),
        ),
        Session(
            "nobody comes",
            ("quoting.spread_model=fixed", "quoting.fixed_half_spread_bps=150"),
            (Fault("quotes 150 bps from the mid", nothing, ("NoFills",), 150),),
        ),
        Session(
            "a guardian alone",
            (),
            (
                Fault("the engine stops for 6 s", stop_engine, ("GuardianFired",)),
                Fault("the guardian hangs for 15 s", pause_guardian, ("GuardianDown",)),
                Fault(
                    "the daemon ends, its guardian stays",
                    lambda s: s.daemon.end(),
                    ("GuardianNotRenewed",),
                ),
            ),
            guardian=True,
        ),
    ]
    made += [*_of_models(), *_of_flow(), *_of_hedges(), *_of_the_venue(), *_of_the_machine()]
    if disk is not None:
        made.append(
            Session(
                "a small disk",
                (f"journal.folder={disk / 'journal'}", "journal.segment_mib=1"),
                (
                    Fault("20 MB of disk for the journal", nothing, ("JournalDiskLow",)),
                    Fault("the disk is full", fill_disk(disk), ("JournalDown",), 200),
                ),
            )
        )
    return made


def _of_models() -> list[Session]:
    return [
        Session(
            "models",
            model_faults.SETTINGS,
            (
                Fault("a promoted model's file is damaged", model_faults.damage, ("ModelRefused",)),
                Fault("it is rolled back", model_faults.roll_back, ()),
                Fault(
                    "a promoted model says what cannot be",
                    model_faults.shout,
                    ("ModelDemoted", "ModelFallback"),
                ),
            ),
        ),
        Session(
            "models that stay",
            (*model_faults.SETTINGS, "models.trials.demote=false"),
            (
                Fault(
                    "a model says what cannot be, and nothing takes it out",
                    model_faults.shout,
                    ("ModelPartFailed",),
                ),
            ),
        ),
        Session(
            "models for another market",
            model_faults.SETTINGS,
            (
                Fault("seventy forecasts are judged", model_faults.be_judged, ()),
                Fault(
                    "a promoted model expects nothing but rises",
                    model_faults.expect_rises,
                    ("ModelDoubted", "ModelDrift"),
                    240,
                ),
            ),
        ),
        Session(
            "models without a feed",
            model_faults.SETTINGS,
            (
                Fault("seventy forecasts are judged", model_faults.be_judged, ()),
                Fault("the exchange dies", on_exchange(signal.SIGKILL), ("ModelStale",), 120),
            ),
        ),
        Session(
            "a model too large",
            model_faults.SETTINGS,
            (
                Fault("a minute passes", lambda _: time.sleep(60), ()),
                Fault(
                    "a promoted model brings 240 MB along",
                    model_faults.swell,
                    ("MemoryGrows",),
                    120,
                ),
            ),
        ),
    ]


def _of_flow() -> list[Session]:
    no_limits = (
        "adverse_selection.responds=false",
        "risk.loss_max=100000",
        "risk.drawdown_max=100000",
    )
    near = (
        "quoting.strategy=custom",
        "quoting.spread_model=fixed",
        "quoting.fixed_half_spread_bps=1.1",
    )
    late = ("quoting.volatility_bps_max=1000", "quoting.requote_tolerance_bps=20")
    moves_alone = (
        "adverse_selection.mode=threshold",
        "adverse_selection.tests_min=1",
        "adverse_selection.imbalance_max=0.99",
        "adverse_selection.size_ratio_max=1",
        "adverse_selection.fills_per_minute_max=10000",
        "risk.position_notional_max=1000000",
    )
    return [
        Session(
            "picked off",
            (*near, *no_limits, *late),
            (
                Fault(
                    "quotes 1 bps from the mid follow the price only after 20 bps, at eight times the volatility",
                    nothing,
                    ("MarkoutBad",),
                    300,
                ),
            ),
            exchange=("--preset", "high_volatility"),
        ),
        Session(
            "a storm of market data",
            (),
            (
                Fault("a storm of before is over", until_calm, ()),
                Fault(
                    "for ten seconds of every hundred everything at the exchange happens eighty times as often (up to 90 s from now)",
                    nothing,
                    ("MessageStorm",),
                    150,
                ),
            ),
            exchange=("--preset", str(_STORM)),
        ),
        Session(
            "one-sided flow",
            (*near, *no_limits, *moves_alone, "quoting.size_skew=false"),
            (
                Fault("the market is even for its first minute", lambda _: time.sleep(40), ()),
                Fault(
                    "nine market orders in ten sell while the price falls by 0.3 bps a second, and quotes do not answer",
                    nothing,
                    ("ToxicFlow",),
                    240,
                ),
            ),
            exchange=("--preset", "one_sided"),
        ),
    ]


def _of_hedges() -> list[Session]:
    critical = ("hedge.critical_ratio=0.02", "hedge.target_ratio=0.005", "hedge.notional_min=5")
    return [
        Session(
            "a hedge that does not come through",
            (*critical, "hedge.route=same", "hedge.deadline_s=1", "risk.rejects_max=1000"),
            (
                Fault(
                    "every request is refused with 429 while a hedge is wanted",
                    lambda s: s.fault("limit", seconds=25),
                    ("HedgeLate",),
                ),
            ),
        ),
        Session(
            "nowhere to hedge",
            (
                *critical,
                "hedge.route=named",
                'hedge.instruments=["embedded:OTHERUSDT"]',
                'venues.embedded.instruments=["MMDUSDT","OTHERUSDT"]',
            ),
            (
                Fault(
                    "the instrument to hedge on stops trading",
                    lambda s: s.fault("status", symbol="OTHERUSDT", status="BREAK"),
                    ("HedgeNoRoute",),
                    120,
                ),
            ),
            exchange=("--symbol", "MMDUSDT", "--symbol", "OTHERUSDT"),
        ),
    ]


def _of_the_venue() -> list[Session]:
    return [
        Session(
            "a transfer",
            (),
            (
                Fault(
                    "somebody takes half a coin out of the account",
                    lambda s: s.fault("transfer", asset="MMD", amount="-0.5"),
                    ("PositionDrift",),
                ),
            ),
        ),
        Session(
            "a venue that lies",
            (),
            (
                Fault(
                    "the venue's top 20 has a size that its book has not",
                    lying.about_sizes,
                    ("BookMismatch",),
                ),
                Fault(
                    "the venue says of a fill that it was of ten times as much",
                    lying.about_fills,
                    ("OrderContradicted",),
                    120,
                ),
            ),
            is_lied_to=True,
        ),
    ]


def _of_the_machine() -> list[Session]:
    faults = [
        Fault("eight other programs want the processors", busy, ("TickToOrderSlow",), 90),
        Fault("the daemon is stopped and started anew", start_anew, ("EngineRestarted",), 400),
    ]
    if shutil.which("strace") is not None:
        slow = Fault(
            "every write to the disk takes 0.3 s longer (strace)", slow_disk, ("JournalSyncSlow",)
        )
        faults.insert(1, slow)
    return [Session("a machine with others on it", (), tuple(faults))]

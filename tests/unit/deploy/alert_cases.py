"""For each alert the series on which it must fire, laid over those of a healthy daemon, on which none does."""

from typing import NamedTuple

_N = 180
"""Samples, one a minute."""
INSTANCE = "daemon:8080"
_AT = f'job="mmd",instance="{INSTANCE}"'
_I = f'{_AT},venue="v",instrument="i"'


class Case(NamedTuple):
    """Series to replace, when to look, and what else fires for the same reason."""

    series: dict[str, str]
    also: tuple[str, ...] = ()
    at: str = "20m"


def flat(value: float) -> str:
    """The same value for ever."""
    return f"{value:g}x{_N}"


def grows(step: float) -> str:
    """A counter that grows."""
    return f"0+{step:g}x{_N}"


def jumps(before: float, after: float, minute: int = 12) -> str:
    """Another value from a minute on."""
    return f"{before:g}x{minute} {after:g}x{_N - minute}"


def instrument(name: str, more: str = "") -> str:
    """A series of the instrument."""
    return f"{name}{{{_I}{',' if more else ''}{more}}}"


def session(name: str, more: str = "") -> str:
    """A series of the session."""
    return f"{name}{{{_AT}{',' if more else ''}{more}}}"


def _buckets(name: str, slow: bool, edges: tuple[str, str], more: str = "") -> dict[str, str]:
    """A histogram whose samples are all below the first edge, or all between it and the second."""
    low, high = edges
    return {
        session(f"{name}_bucket", f'{more}le="{low}"'): grows(0 if slow else 10),
        session(f"{name}_bucket", f'{more}le="{high}"'): grows(10),
        session(f"{name}_bucket", f'{more}le="+Inf"'): grows(10),
    }


_LEVEL = "mmd_risk_level"
HEALTHY: dict[str, str] = {
    session("up"): flat(1),
    session("mmd_state_age_seconds"): flat(0.2),
    session("mmd_uptime_seconds"): grows(60),
    session("mmd_ops_start_time_seconds"): flat(1000),
    session("mmd_engine_start_time_seconds"): flat(1000),
    session("mmd_clock_offset_seconds"): flat(-0.002),
    session("mmd_journal_up"): flat(1),
    session("mmd_journal_free_bytes"): flat(5e10),
    session("mmd_engine_memory_bytes"): flat(3e8),
    session("mmd_guardian_up"): flat(1),
    session("mmd_guardian_leases_lost_total"): flat(1),
    session("mmd_guardian_lease_held"): flat(1),
    session("mmd_guardian_losses_total"): flat(0),
    session("mmd_notices_total", 'kind="HEDGE_NO_ROUTE"'): flat(0),
    session("mmd_risk_level_rises_total", 'reason="REJECT_STORM"'): flat(0),
    session("mmd_risk_level_rises_total", 'reason="MESSAGE_STORM"'): flat(0),
    session(_LEVEL, 'level="NORMAL"'): flat(1),
    session(_LEVEL, 'level="REDUCE_ONLY"'): flat(0),
    session(_LEVEL, 'level="CANCEL_ALL"'): flat(0),
    session(_LEVEL, 'level="FLATTEN"'): flat(0),
    session(_LEVEL, 'level="HALTED"'): flat(0),
    session("mmd_risk_headroom_ratio", 'limit="loss"'): flat(0.9),
    session("mmd_risk_headroom_ratio", 'limit="drawdown"'): flat(0.8),
    session("mmd_risk_headroom_ratio", 'limit="orders_10s"'): flat(0.7),
    session("mmd_risk_headroom_ratio", 'limit="position"'): flat(0.05),
    session("mmd_adverse_venue_toxicity_ratio", 'venue="v"'): flat(0.04),
    **_buckets("mmd_journal_sync_seconds", slow=False, edges=("0.05", "0.5")),
    **_buckets("mmd_loop_lag_seconds", slow=False, edges=("0.01", "0.1")),
    **_buckets("mmd_tick_to_order_seconds", slow=False, edges=("0.001", "0.01")),
    instrument("mmd_feed_up"): flat(1),
    instrument("mmd_private_up"): flat(1),
    instrument("mmd_book_synced"): flat(1),
    instrument("mmd_book_age_seconds"): flat(0.1),
    instrument("mmd_book_age_limit_seconds"): flat(3),
    instrument("mmd_book_mismatches_total"): flat(0),
    instrument("mmd_feed_gaps_total"): flat(2),
    instrument("mmd_feed_latency_seconds"): flat(0.02),
    instrument("mmd_pnl_identity_error"): flat(0),
    instrument("mmd_position_drift_atoms"): flat(0),
    instrument("mmd_position_old"): flat(0),
    instrument("mmd_inventory_ratio"): flat(-0.3),
    instrument("mmd_orders_sent_total"): grows(20),
    instrument("mmd_orders_rejected_total"): flat(3),
    instrument("mmd_orders_unknown"): flat(0),
    instrument("mmd_orders_breached_total"): flat(0),
    instrument("mmd_orders_foreign_total"): flat(0),
    instrument("mmd_orders_working"): flat(6),
    instrument("mmd_fills_total"): grows(8),
    instrument("mmd_quote_state", 'state="ACTIVE",reason="NONE"'): flat(1),
    instrument("mmd_markout_bps", 'horizon="30s"'): flat(0.8),
    instrument("mmd_model_status", 'part="price",status="OK"'): flat(1),
    instrument("mmd_model_rung", 'rung="FULL"'): flat(1),
    instrument("mmd_model_info", 'role="champion",kind="price_lstm",model="m"'): flat(1),
    instrument("mmd_model_age_seconds"): flat(0.1),
    instrument("mmd_model_explained_ratio", 'role="champion",bars_ahead="10"'): flat(0.03),
    instrument("mmd_model_errors_total"): flat(0),
    instrument("mmd_model_demotions_total"): flat(0),
    instrument("mmd_model_drift_level", 'level="CALM"'): flat(1),
    instrument("mmd_hedge_overdue"): flat(0),
}


def _level(name: str) -> dict[str, str]:
    return {
        session(_LEVEL, 'level="NORMAL"'): jumps(1, 0),
        session(_LEVEL, f'level="{name}"'): jumps(0, 1),
    }


CASES: dict[str, Case] = {
    "TargetDown": Case({session("up"): jumps(1, 0)}),
    "EngineHung": Case({session("mmd_state_age_seconds"): jumps(0.2, 12)}),
    "FeedDown": Case({instrument("mmd_feed_up"): jumps(1, 0)}),
    "OrderEntryDown": Case({instrument("mmd_private_up"): jumps(1, 0)}),
    "BookStale": Case({instrument("mmd_book_age_seconds"): jumps(0.1, 30)}),
    "BookSyncLost": Case({instrument("mmd_book_synced"): jumps(1, 0)}),
    "BookMismatch": Case({instrument("mmd_book_mismatches_total"): jumps(0, 1)}),
    "FeedGaps": Case({instrument("mmd_feed_gaps_total"): jumps(2, 12)}),
    "FeedLate": Case({instrument("mmd_feed_latency_seconds"): jumps(0.02, 1.5)}),
    "MessageStorm": Case(
        {session("mmd_risk_level_rises_total", 'reason="MESSAGE_STORM"'): jumps(0, 1)}
    ),
    "ClockOff": Case({session("mmd_clock_offset_seconds"): jumps(0, -0.8)}),
    "PnlIdentityError": Case({instrument("mmd_pnl_identity_error"): jumps(0, -1)}),
    "PositionDrift": Case({instrument("mmd_position_drift_atoms"): jumps(0, 100_000)}),
    "LossNearLimit": Case({session("mmd_risk_headroom_ratio", 'limit="loss"'): jumps(0.9, 0.2)}),
    "Halted": Case(_level("HALTED")),
    "RiskLevelRaised": Case(_level("REDUCE_ONLY")),
    "HeadroomLow": Case(
        {session("mmd_risk_headroom_ratio", 'limit="orders_10s"'): jumps(0.7, 0.05)}
    ),
    "InventoryStuck": Case({instrument("mmd_inventory_ratio"): jumps(-0.3, -0.95)}),
    "RejectStorm": Case(
        {session("mmd_risk_level_rises_total", 'reason="REJECT_STORM"'): jumps(0, 1)}
    ),
    "RejectsHigh": Case({instrument("mmd_orders_rejected_total"): grows(4)}),
    "OrdersUnknown": Case({instrument("mmd_orders_unknown"): jumps(0, 2)}),
    "OrderContradicted": Case({instrument("mmd_orders_breached_total"): jumps(0, 1)}),
    "ForeignOrders": Case({instrument("mmd_orders_foreign_total"): jumps(0, 3)}),
    "NotQuoting": Case(
        {
            instrument("mmd_quote_state", 'state="ACTIVE",reason="NONE"'): f"1x12 _x{_N - 12}",
            instrument("mmd_quote_state", 'state="WITHDRAWN",reason="VOLATILITY"'): (
                f"_x12 1x{_N - 12}"
            ),
        }
    ),
    "NoFills": Case({instrument("mmd_fills_total"): flat(7)}, at="75m"),
    "ToxicFlow": Case({session("mmd_adverse_venue_toxicity_ratio", 'venue="v"'): jumps(0.04, 0.6)}),
    "MarkoutBad": Case({instrument("mmd_markout_bps", 'horizon="30s"'): jumps(0.8, -1.2)}),
    "ModelPartFailed": Case(
        {instrument("mmd_model_status", 'part="spread",status="NOT_FINITE"'): flat(1)}
    ),
    "ModelFallback": Case(
        {
            instrument("mmd_model_rung", 'rung="FULL"'): f"1x12 _x{_N - 12}",
            instrument("mmd_model_rung", 'rung="GLFT"'): f"_x12 1x{_N - 12}",
        }
    ),
    "ModelStale": Case({instrument("mmd_model_age_seconds"): jumps(0.1, 90)}),
    "ModelDrift": Case(
        {
            instrument("mmd_model_explained_ratio", 'role="champion",bars_ahead="10"'): jumps(
                0.03, -0.4, 5
            )
        }
    ),
    "ModelRefused": Case({instrument("mmd_model_errors_total"): jumps(0, 1)}),
    "ModelDemoted": Case({instrument("mmd_model_demotions_total"): jumps(0, 1)}),
    "ModelDoubted": Case({instrument("mmd_model_drift_level", 'level="DEFENSIVE"'): flat(1)}),
    "HedgeLate": Case({instrument("mmd_hedge_overdue"): jumps(0, 1)}),
    "HedgeNoRoute": Case({session("mmd_notices_total", 'kind="HEDGE_NO_ROUTE"'): jumps(0, 1)}),
    "JournalDown": Case({session("mmd_journal_up"): jumps(1, 0)}),
    "JournalDiskLow": Case({session("mmd_journal_free_bytes"): jumps(5e10, 1e9)}),
    "JournalSyncSlow": Case(_buckets("mmd_journal_sync_seconds", slow=True, edges=("0.05", "0.5"))),
    "LoopLag": Case(_buckets("mmd_loop_lag_seconds", slow=True, edges=("0.01", "0.1"))),
    "TickToOrderSlow": Case(
        _buckets("mmd_tick_to_order_seconds", slow=True, edges=("0.001", "0.01"))
    ),
    "MemoryGrows": Case({session("mmd_engine_memory_bytes"): f"3e8+4e6x{_N}"}, at="170m"),
    "OpsRestarted": Case({session("mmd_ops_start_time_seconds"): jumps(1000, 4400)}),
    "EngineRestarted": Case({session("mmd_engine_start_time_seconds"): jumps(1000, 4400)}),
    "GuardianDown": Case({session("mmd_guardian_up"): jumps(1, 0)}),
    "GuardianFired": Case({session("mmd_guardian_leases_lost_total"): jumps(0, 1)}),
    "GuardianNotRenewed": Case({session("mmd_guardian_lease_held"): jumps(1, 0)}),
}

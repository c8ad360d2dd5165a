"""What the terminal shows of an instrument every few seconds."""

from mmd.core.maker import Maker


def status_line(maker: Maker) -> dict[str, object]:
    """Keys and values of one log line."""
    pnl, tick = maker.ledger.pnl, float(maker.instrument.tick_size)
    return {
        "instrument": maker.instrument.symbol,
        "state": maker.state.name.lower(),
        "reason": maker.reason.name.lower(),
        "mid": round(maker.view.mid_half_ticks / 2 * tick, 8),
        "position": str(maker.instrument.qty(maker.ledger.position_lots)),
        "fills": maker.ledger.fill_count,
        "pnl": 0.0 if pnl is None else round(float(pnl.position.money.decimal(pnl.total_units)), 4),
        "orders": sum(maker.orders.open_orders),
    }

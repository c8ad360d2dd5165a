"""A simple maker in hftbacktest, run in a venv of its own: prints its fills as JSON.

Usage: hftbacktest_client.py NPZ TICK LOT ENTRY_NS RESPONSE_NS QUEUE EXPONENT
Each second and side: without an order join the best price with one lot; an order that is not at it is cancelled.
"""

import json
import sys
import time

import numpy as np
from hftbacktest import (
    BUY,
    FILLED,
    GTX,
    LIMIT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from numba import njit

PERIOD_NS = 1_000_000_000


@njit
def run(hbt, lot, fills):
    n, number = 0, 0
    while hbt.elapse(PERIOD_NS) == 0:
        depth, orders = hbt.depth(0), hbt.orders(0)
        found = np.zeros(2, np.int64)
        values = orders.values()
        while values.has_next():
            order = values.get()
            side = 0 if order.side == BUY else 1
            if order.status == FILLED:
                fills[n, 0], fills[n, 1], fills[n, 2] = order.exch_timestamp, side, order.price_tick
                n += 1
                continue
            best = depth.best_bid_tick if side == 0 else depth.best_ask_tick
            if order.cancellable and order.price_tick != best:
                hbt.cancel(0, order.order_id, False)
            if order.status in (0, 1) or order.req != 0:
                found[side] = 1
        hbt.clear_inactive_orders(0)
        if depth.best_bid_tick >= depth.best_ask_tick:
            continue
        for side in range(2):
            if found[side] == 0:
                number += 1
                if side == 0:
                    hbt.submit_buy_order(0, number, depth.best_bid, lot, GTX, LIMIT, False)
                else:
                    hbt.submit_sell_order(0, number, depth.best_ask, lot, GTX, LIMIT, False)
    return n


def main() -> None:
    """Run once to compile on nothing much, then on all of it."""
    npz, tick, lot, entry_ns, response_ns, queue, exponent = sys.argv[1:]
    data = np.load(npz)["data"]
    results = []
    for part in (data[:5000], data):
        asset = (
            BacktestAsset()
            .data([np.ascontiguousarray(part)])
            .linear_asset(1.0)
            .constant_order_latency(int(entry_ns), int(response_ns))
            .no_partial_fill_exchange()
            .trading_value_fee_model(0.0, 0.0)
            .tick_size(float(tick))
            .lot_size(float(lot))
        )
        if queue == "risk_averse":
            asset = asset.risk_adverse_queue_model()
        elif queue == "power":
            asset = asset.power_prob_queue_model(float(exponent))
        else:
            asset = asset.log_prob_queue_model()
        hbt = HashMapMarketDepthBacktest([asset])
        fills = np.zeros((200_000, 3), np.int64)
        began_s = time.perf_counter()
        n = run(hbt, float(lot), fills)
        results.append((time.perf_counter() - began_s, fills[:n].tolist(), hbt.position(0)))
        hbt.close()
    seconds, fills_made, position = results[1]
    print(
        json.dumps(
            {"seconds": seconds, "events": len(data), "fills": fills_made, "position": position}
        )
    )


if __name__ == "__main__":
    main()

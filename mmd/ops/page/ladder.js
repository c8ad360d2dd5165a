// The book's best levels with our orders in them.

import { fixed, make, put } from "./format.js";

const LEVELS = 10;

export class Ladder {
  constructor(table, further) {
    this.table = table;
    this.further = further;
    this.rows = { asks: this.build("asks"), bids: this.build("bids") };
  }

  build(side) {
    const body = this.table.querySelector(`[data-side="${side}"]`);
    const rows = Array.from({ length: LEVELS }, () => {
      const row = make("tr");
      for (let k = 0; k < 4; k += 1) row.append(make("td"));
      return row;
    });
    body.replaceChildren(...(side === "asks" ? rows.toReversed() : rows));
    return rows;
  }

  show(row, decimals) {
    const { bids, asks } = row.book;
    const largest = Math.max(...[...bids.slice(0, LEVELS), ...asks.slice(0, LEVELS)].map((level) => Number(level[1])), 0);
    const left = this.fill("asks", asks, row.orders.filter((o) => o.side === "SELL"), largest)
      + this.fill("bids", bids, row.orders.filter((o) => o.side === "BUY"), largest);
    put(this.further, left ? `${left} of our orders ${left === 1 ? "rests" : "rest"} further out` : "");
    put(this.table.querySelector('[data-field="mid"]'), fixed(row.mid, decimals + 1));
    const spread = bids.length && asks.length ? asks[0][0] - bids[0][0] : null;
    const bps = spread === null || !row.mid ? "" : ` · ${fixed((1e4 * spread) / row.mid, 1)} bps`;
    put(this.table.querySelector('[data-field="spread"]'), `spread ${fixed(spread, decimals)}${bps}`);
  }

  /** Returns how many of our orders are not among the levels shown. */
  fill(side, levels, orders, largest) {
    const lots = decimalsIn(levels[0]?.[1] ?? "");
    let shown = 0;
    this.rows[side].forEach((row, k) => {
      const [price, size] = levels[k] ?? ["", ""];
      const ours = price === "" ? [] : orders.filter((o) => Number(o.price) === Number(price));
      shown += ours.length;
      const left = ours.reduce((sum, o) => sum + Number(o.qty) - Number(o.filled), 0);
      const ahead = ours.map((o) => o.queue_ahead).filter((a) => a !== null);
      const cells = [price, size, ours.length ? fixed(left, lots) : "", ahead.length ? `≤ ${fixed(Math.min(...ahead), lots)}` : ""];
      cells.forEach((text, at) => put(row.cells[at], text));
      row.cells[1].style.setProperty("--depth", largest ? `${(100 * Number(size)) / largest}%` : "0%");
      row.classList.toggle("own", ours.length > 0);
    });
    return orders.length - shown;
  }
}

/** How many decimals a quantity like "9.430" is written with. */
function decimalsIn(qty) {
  return (qty.split(".")[1] ?? "").length;
}

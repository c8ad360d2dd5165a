// The event log, newest first, of one kind or of all.

import { clock, make } from "./format.js";

const KEPT = 500;
const SHOWN = 200;

export class Events {
  constructor(list, kinds) {
    this.list = list;
    this.kinds = kinds;
    this.kept = [];
    kinds.addEventListener("change", () => this.rebuild());
  }

  /** Add events, oldest first; `whole` replaces what there is. */
  add(events, whole) {
    if (whole) this.kept = [];
    if (!events.length && !whole) return;
    this.kept.push(...events);
    this.kept.splice(0, Math.max(this.kept.length - KEPT, 0));
    if (whole) {
      this.rebuild();
      return;
    }
    for (const event of events) if (this.isShown(event)) this.list.prepend(line(event));
    while (this.list.children.length > SHOWN) this.list.lastChild.remove();
  }

  isShown(event) {
    return this.kinds.value === "" || this.kinds.value === event.kind;
  }

  rebuild() {
    const shown = this.kept.filter((event) => this.isShown(event)).slice(-SHOWN);
    this.list.replaceChildren(...shown.reverse().map(line));
  }
}

function line(event) {
  const item = make("li");
  item.dataset.weight = event.weight;
  item.dataset.kind = event.kind;
  const time = make("time", "", clock(event.unix_s));
  time.dateTime = new Date(event.unix_s * 1000).toISOString();
  const where = event.instrument ? `${event.instrument.split(":").at(-1)} ` : "";
  item.append(time, make("span", "kind", event.kind), make("span", "text", where + event.text));
  return item;
}

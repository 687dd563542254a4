// A list of rows that grows at its top, bounded, with each entry once whichever way it came.

import { el } from "./dom.js";

const MOST = 300;

export class Feed {
  /** `render` makes an entry's row; `shows` says whether the filter lets it through. */
  constructor(root, render, shows = () => true) {
    this.root = root;
    this.render = render;
    this.shows = shows;
    this.entries = new Map();
    this.waiting = [];
    this.newest = 0;
    this.cleared = 0;
  }

  /** A new entry, as it happens. However many there are, the page is changed once per frame. */
  add(entry) {
    this.waiting.push(entry);
    if (this.waiting.length > MOST) this.waiting.shift();
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.waiting.splice(0).forEach((waiting) => this.put(waiting, true));
    });
  }

  /** Entries that were asked for, newest first; those that are known stay as they are. */
  merge(entries) {
    for (const entry of [...entries].reverse()) this.put(entry, false);
  }

  put(entry, fresh) {
    if (entry.seq <= this.cleared || this.entries.has(entry.seq)) return;
    const row = this.render(entry);
    row.dataset.seq = entry.seq;
    row.classList.toggle("fresh", fresh);
    row.hidden = !this.shows(entry);
    this.entries.set(entry.seq, { entry, row });
    let next = this.root.firstElementChild;
    while (next && Number(next.dataset.seq) > entry.seq) next = next.nextElementSibling;
    this.root.insertBefore(row, next);
    this.newest = Math.max(this.newest, entry.seq);
    while (this.entries.size > MOST) this.drop(Number(this.root.lastElementChild.dataset.seq));
  }

  drop(seq) {
    this.entries.get(seq).row.remove();
    this.entries.delete(seq);
  }

  /** Shows and hides rows after the filter has changed. */
  refilter() {
    for (const { entry, row } of this.entries.values()) row.hidden = !this.shows(entry);
  }

  /** Empties the list; what was in it does not come back. */
  clear() {
    this.cleared = this.newest;
    this.forget();
  }

  /** Empties the list to be filled with something else. */
  forget() {
    this.waiting = [];
    this.entries.clear();
    this.root.replaceChildren();
  }
}

/** A row that opens: its inside is made when it is opened for the first time. */
export function openRow(kind, summary, inside) {
  const row = el("details", { class: `row ${kind}`, "data-testid": "inspector-row" }, el("summary", {}, ...summary));
  row.addEventListener("toggle", () => {
    if (row.open && row.childElementCount === 1) row.append(el("div", { class: "detail" }, ...inside()));
  });
  return row;
}

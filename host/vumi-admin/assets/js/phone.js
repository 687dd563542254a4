// One phone: its number, its two tabs, and the thread of messages behind them.

import { api } from "./api.js";
import { part } from "./dom.js";
import { time } from "./format.js";
import { Sms } from "./sms.js";
import { tabs } from "./tabs.js";
import { Ussd } from "./ussd.js";

let ids = 0;

export class Phone {
  constructor(saved, owner) {
    this.owner = owner;
    this.number = saved.number;
    this.root = document.getElementById("phone-template").content.firstElementChild.cloneNode(true);
    this.numberInput = part(this.root, "phone-number");
    this.badge = this.root.querySelector(".badge");
    this.unread = 0;
    this.ussd = new Ussd(this, saved.code);
    this.sms = new Sms(this, saved.to);
    this.wireTabs(saved.tab ?? 0);
    this.wireNumber();
    this.root.querySelector(".remove-phone").addEventListener("click", owner.remove);
    this.tickClock();
    this.built = true;
  }

  saved() {
    return { number: this.number, code: this.ussd.code, to: this.sms.to, tab: this.tab };
  }

  send(message) {
    return api.send(this.number, message);
  }

  /** Whether the keyboard may be moved to this phone without taking it away from somewhere else. */
  mayTakeFocus() {
    return document.activeElement === document.body || this.root.contains(document.activeElement);
  }

  focus() {
    (this.tab === 0 ? this.ussd : this.sms).focus();
  }

  /** A message arrived on, left from or changed on this phone. */
  update({ message, session }) {
    if (message.kind === "ussd") return this.ussd.update(message, session);
    this.sms.update(message);
    if (message.sender === "app" && this.tab !== 1 && message.delivery === "pending") this.showUnread(this.unread + 1);
  }

  ran(run) {
    this.ussd.ran(run);
  }

  /** Shows what the host knows of this phone, e.g. after the page was loaded again. */
  async reload() {
    const { number } = this;
    const { moves } = this.ussd;
    try {
      const thread = await api.phone(number);
      if (number !== this.number) return;
      thread.messages.filter((message) => message.kind === "sms").forEach((message) => this.sms.update(message, true));
      // Where something happened while the answer was on its way, the answer is old.
      if (moves === this.ussd.moves) this.ussd.restore(thread.messages.findLast((message) => message.kind === "ussd"), thread.session);
    } catch {
      // The strip on top says that the host is away; the stream brings us back here.
    }
  }

  wireTabs(first) {
    const list = this.root.querySelector("[role=tablist]");
    const panels = [this.root.querySelector(".ussd"), this.root.querySelector(".sms")];
    ids += 1;
    list.querySelectorAll("[role=tab]").forEach((button, index) => {
      button.id = `phone-${ids}-tab-${index}`;
      panels[index].id = `phone-${ids}-panel-${index}`;
      button.setAttribute("aria-controls", panels[index].id);
      panels[index].setAttribute("aria-labelledby", button.id);
    });
    const show = tabs(list, panels, (chosen) => {
      this.tab = chosen;
      if (chosen === 1) {
        this.showUnread(0);
        this.sms.scrollDown();
      }
      if (this.built) this.owner.changed();
    });
    show(first === 1 ? 1 : 0);
  }

  wireNumber() {
    const input = this.numberInput;
    const show = () => {
      input.value = this.number;
      input.removeAttribute("aria-invalid");
      this.root.setAttribute("aria-label", `Phone ${this.number}`);
    };
    show();
    input.addEventListener("input", () => {
      const taken = input.value.trim() !== this.number && !this.owner.isFree(input.value.trim());
      input.setAttribute("aria-invalid", String(taken || input.value.trim() === ""));
      input.title = taken ? "Another phone has this number" : "";
    });
    input.addEventListener("change", () => {
      const number = input.value.trim();
      if (number && number !== this.number && this.owner.isFree(number)) {
        this.number = number;
        this.ussd.reset();
        this.sms.reset();
        this.reload();
        this.owner.changed();
      }
      show();
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.focus();
      if (event.key === "Escape") show();
    });
  }

  showUnread(count) {
    this.unread = count;
    this.badge.hidden = count === 0;
    this.badge.textContent = String(count);
    this.badge.setAttribute("aria-label", `${count} new`);
  }

  tickClock() {
    const show = () => { this.root.querySelector(".clock").textContent = time(Date.now() * 1000); };
    show();
    const timer = setInterval(() => (this.root.isConnected ? show() : clearInterval(timer)), 10_000);
  }
}

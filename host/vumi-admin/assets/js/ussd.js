// USSD: a dialler, and the dialog that the network puts over the phone while a session is open.
//
// The dialog is in one of four states: waiting (it is the app's turn), asking (it is the user's), closed (the app
// ended the session) and failed (nothing more will come). No dialog: no session.

import { keypad } from "./keypad.js";
import { part } from "./dom.js";
import { measureUssd } from "./segments.js";

const PATIENCE = 10_000;
const WAITING = "Waiting for the app…";

export class Ussd {
  constructor(phone, code) {
    this.phone = phone;
    const root = phone.root;
    this.dialer = root.querySelector(".dialer");
    this.codeInput = part(root, "ussd-code");
    this.shade = root.querySelector(".ussd-shade");
    this.dialog = part(root, "ussd-dialog");
    this.serviceText = root.querySelector(".ussd-service");
    this.count = root.querySelector(".ussd-count");
    this.text = part(root, "ussd-text");
    this.notice = root.querySelector(".ussd-notice");
    this.reply = part(root, "ussd-reply");
    this.ok = part(root, "ussd-ok");
    this.codeInput.value = code;
    /** Grows with everything that happens to the session. */
    this.moves = 0;
    keypad(root, this.codeInput, () => phone.owner.changed());
    this.wire();
  }

  get code() {
    return this.codeInput.value.trim();
  }

  get state() {
    return this.shade.hidden ? "none" : this.dialog.dataset.state;
  }

  wire() {
    this.codeInput.addEventListener("input", () => this.phone.owner.changed());
    this.dialer.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.code) this.dial();
    });
    this.dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.state === "asking") this.answer();
    });
    part(this.dialog, "ussd-cancel").addEventListener("click", () => this.cancel());
    this.ok.addEventListener("click", () => this.acknowledge());
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      if (this.state === "waiting" || this.state === "asking") this.cancel();
      else this.acknowledge();
    });
  }

  focus() {
    if (this.state === "none") this.codeInput.focus();
    else if (this.state === "asking") this.reply.focus();
    else if (this.state === "waiting") part(this.dialog, "ussd-cancel").focus();
    else this.ok.focus();
  }

  // What the user does.

  async dial() {
    this.service = this.code;
    this.wait("USSD code running…");
    this.post({ action: "new" }, (error) => this.fail(error.message));
  }

  async answer() {
    const content = this.reply.value;
    const before = this.text.textContent;
    this.wait("Sending…");
    this.post({ action: "resume", content }, (error) => {
      this.ask(before);
      this.reply.value = content;
      this.say(`Not sent. ${error.message}`, "bad");
    });
  }

  cancel() {
    this.hide();
    this.close();
  }

  /** OK: after a failure the network would have ended the session, so the app hears of its end. */
  acknowledge() {
    const open = this.state === "failed" && this.open;
    this.hide();
    if (open) this.close();
  }

  close() {
    this.open = false;
    this.phone.send({ kind: "ussd", action: "close", to_addr: this.service }).catch(() => {});
  }

  async post(step, failed) {
    try {
      this.pending = null;
      const sent = await this.phone.send({ kind: "ussd", to_addr: this.service, ...step });
      this.open = true;
      this.pending ??= sent.message_id;
      if (this.state === "waiting") this.text.textContent = WAITING;
    } catch (error) {
      if (this.state === "waiting") failed(error);
    }
  }

  // What the host says.

  update(message, session) {
    if (message.delivery === "failed" && message.message_id === this.shown) {
      return this.say(`The network did not deliver this: ${message.delivery_reason ?? "no reason given"}`, "bad");
    }
    if (message.delivery !== "pending" && message.sender === "app") return;
    if (message.sender === "phone") this.sent(message, session);
    else if (session) this.arrived(message, session);
    else if (this.state !== "none") this.ended(message);
  }

  sent(message, session) {
    this.open = Boolean(session);
    if (!session) return this.hide();
    this.pending = message.message_id;
    this.service = session.service;
    // Sent from another window that shows the same phone.
    if (this.state === "none" || this.state === "asking") this.wait("USSD code running…");
  }

  arrived(message, session) {
    this.open = true;
    this.service = session.service;
    this.shown = message.message_id;
    this.ask(message.content ?? "");
  }

  ended(message) {
    this.open = false;
    this.shown = message.message_id;
    this.show("closed", message.content ?? "");
    this.say("The app ended the session.");
    if (this.phone.mayTakeFocus()) this.ok.focus();
  }

  /** A run ended; if it was the one that should have answered, say so when it did not. */
  ran(run) {
    if (run.message_id !== this.pending || this.state !== "waiting") return;
    if (run.outcome === "failed") this.fail(`The app failed: ${run.reason ?? "error"}.\n${run.error ?? ""}`);
    else if (run.replies === 0) this.say("The app handled the message without an answer. It may still send one.");
  }

  restore(message, session) {
    const onScreen = this.state === "waiting" || this.state === "asking";
    if (!session && onScreen) return message?.sender === "app" && message.message_id !== this.shown ? this.ended(message) : this.hide();
    if (!session) return undefined;
    this.open = true;
    this.service = session.service;
    if (session.waiting_for_app) return this.state === "none" ? this.wait(WAITING) : undefined;
    if (message?.sender === "app" && message.message_id !== this.shown) this.arrived(message, session);
  }

  /** Another number: nothing of the old one's session is left on the screen. */
  reset() {
    this.open = false;
    this.hide();
  }

  // What the dialog shows.

  wait(text) {
    const hadFocus = this.phone.root.contains(document.activeElement);
    this.show("waiting", text);
    if (hadFocus) part(this.dialog, "ussd-cancel").focus();
    this.patience = setTimeout(() => this.say("No answer yet. The logs and runs may say why."), PATIENCE);
  }

  ask(text) {
    this.show("asking", text);
    this.reply.value = "";
    if (this.phone.mayTakeFocus()) this.reply.focus();
  }

  fail(text) {
    this.show("failed", "No answer.");
    this.say(text, "bad");
    if (this.phone.mayTakeFocus()) this.ok.focus();
  }

  show(state, text) {
    clearTimeout(this.patience);
    this.moves += 1;
    this.shade.hidden = false;
    this.dialer.inert = true;
    this.dialog.dataset.state = state;
    this.dialog.setAttribute("aria-label", `USSD session ${this.service}`);
    this.serviceText.textContent = this.service;
    this.text.textContent = text;
    this.text.scrollTop = 0;
    this.notice.hidden = true;
    const fromApp = state === "asking" || state === "closed";
    const { units, capacity, encoding } = measureUssd(text);
    this.count.textContent = fromApp ? `${units}/${capacity}` : "";
    this.count.dataset.over = String(fromApp && units > capacity);
    this.count.title = `${encoding}: a USSD screen holds ${capacity}`;
    if (fromApp && units > capacity) this.say(`Longer than a USSD screen: many networks cut it after ${capacity}.`, "bad");
  }

  say(text, tone = "plain") {
    this.notice.textContent = text.trim();
    this.notice.dataset.tone = tone;
    this.notice.hidden = false;
  }

  hide() {
    clearTimeout(this.patience);
    this.moves += 1;
    const hadFocus = this.dialog.contains(document.activeElement);
    this.shade.hidden = true;
    this.dialer.inert = false;
    this.pending = null;
    if (hadFocus) this.codeInput.focus();
  }
}

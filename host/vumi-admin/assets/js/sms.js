// SMS: a thread of bubbles and a box to write in.

import { announce, el, part } from "./dom.js";
import { plural, time } from "./format.js";
import { measureSms } from "./segments.js";

const MOST = 200;
const DRAFT = "draft-";
let drafts = 0;

export class Sms {
  constructor(phone, to) {
    this.phone = phone;
    this.thread = phone.root.querySelector(".thread");
    this.box = part(phone.root, "sms-compose");
    this.counter = part(phone.root, "sms-count");
    this.toInput = part(phone.root, "sms-to");
    this.toInput.value = to;
    this.bubbles = new Map();
    this.wire();
    this.reset();
  }

  get to() {
    return this.toInput.value.trim();
  }

  focus() {
    this.box.focus();
  }

  wire() {
    this.toInput.addEventListener("input", () => this.phone.owner.changed());
    this.box.addEventListener("input", () => this.count());
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    this.phone.root.querySelector(".composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.count();
  }

  count() {
    const { encoding, units, capacity, segments } = measureSms(this.box.value);
    this.counter.textContent = `${encoding} · ${units}/${capacity} · ${segments} SMS`;
  }

  submit() {
    const content = this.box.value;
    if (content.trim() === "") return this.box.focus();
    if (this.to === "") return this.toInput.focus();
    this.box.value = "";
    this.count();
    this.send(content, this.to);
    this.box.focus();
  }

  async send(content, to) {
    const draft = { message_id: `${DRAFT}${drafts += 1}`, sender: "phone", service: to, content, at: Date.now() * 1000 };
    this.update({ ...draft, delivery: "sending" });
    try {
      const { message_id } = await this.phone.send({ kind: "sms", content, to_addr: to });
      // The stream usually was quicker and has put the message there already.
      if (this.bubbles.has(message_id)) this.drop(draft.message_id);
      else this.rename(draft.message_id, { ...draft, message_id, delivery: "accepted" });
    } catch (error) {
      this.update({ ...draft, delivery: "failed", delivery_reason: error.message, retry: true });
    }
  }

  /** Shows a message, or how it now is. One that is `known` from before is not announced. */
  update(message, known = false) {
    const isNew = !this.bubbles.has(message.message_id);
    const { scrollTop, clientHeight, scrollHeight } = this.thread;
    const atEnd = scrollTop + clientHeight >= scrollHeight - 40;
    this.put(message);
    while (this.bubbles.size > MOST) this.drop(this.thread.firstElementChild.dataset.id);
    if (isNew && !known && message.sender === "app") announce(`New SMS on ${this.phone.number}: ${message.content ?? ""}`);
    // Someone who has scrolled back to read is left alone when only a mark changes.
    if (isNew || atEnd) this.scrollDown();
  }

  /** Another number, another thread. */
  reset() {
    this.bubbles.clear();
    this.thread.replaceChildren(el("p", { class: "thread-empty" }, "No messages yet. Write one: the app’s answer appears here."));
  }

  put(message) {
    const old = this.bubbles.get(message.message_id) ?? this.draftOf(message);
    // What was asked for may be older than what the stream has told since.
    if (old && RANK[message.delivery] < RANK[old.dataset.delivery]) return;
    const bubble = this.bubble(message);
    if (old) old.replaceWith(bubble);
    else this.insert(bubble);
    this.bubbles.set(message.message_id, bubble);
  }

  insert(bubble) {
    this.thread.querySelector(".thread-empty")?.remove();
    let before = this.thread.lastElementChild;
    while (before && Number(before.dataset.at) > Number(bubble.dataset.at)) before = before.previousElementSibling;
    if (before) before.after(bubble);
    else this.thread.prepend(bubble);
  }

  /** The draft that a message from this phone was, when the stream is quicker than the answer to the request. */
  draftOf(message) {
    if (message.sender !== "phone" || message.message_id.startsWith(DRAFT)) return undefined;
    for (const [id, bubble] of this.bubbles) {
      if (id.startsWith(DRAFT) && bubble.dataset.delivery === "sending" && bubble.firstChild.textContent === message.content) {
        this.bubbles.delete(id);
        return bubble;
      }
    }
    return undefined;
  }

  rename(id, message) {
    const bubble = this.bubbles.get(id);
    if (!bubble) return;
    this.bubbles.delete(id);
    this.bubbles.set(message.message_id, bubble);
    this.put(message);
  }

  drop(id) {
    this.bubbles.get(id)?.remove();
    this.bubbles.delete(id);
  }

  bubble(message) {
    const content = message.content ?? "";
    const { segments, encoding } = measureSms(content);
    const state = STATES[message.sender][message.delivery] ?? {};
    const small = el("small", {}, el("time", {}, time(message.at)));
    if (message.sender === "app") small.append(el("span", { title: encoding }, plural(segments, "SMS", "SMS")));
    if (message.service !== this.to) small.append(el("span", {}, message.service));
    if (state.text) {
      const text = message.delivery_reason ? `${state.text}: ${message.delivery_reason}` : state.text;
      small.append(el("span", { class: state.class, title: state.title }, text));
    }
    const bubble = el("div", {
      class: "bubble",
      "data-testid": "sms-bubble",
      "data-direction": message.sender === "phone" ? "out" : "in",
      "data-delivery": message.delivery,
      "data-id": message.message_id,
      "data-at": message.at,
    }, el("p", {}, content), small);
    if (message.retry) {
      small.append(el("button", { type: "button", class: "retry", onclick: () => {
        this.drop(message.message_id);
        this.send(content, message.service);
        this.box.focus();
      } }, "Try again"));
    }
    return bubble;
  }

  scrollDown() {
    this.thread.scrollTop = this.thread.scrollHeight;
  }
}

// A later state never gives way to an earlier one.
const RANK = { sending: 0, pending: 0, accepted: 1, delivered: 2, failed: 2 };

// How far a message got, by who wrote it.
const STATES = {
  phone: {
    sending: { text: "Sending…" },
    accepted: { text: "✓", class: "tick", title: "The host has it" },
    failed: { text: "Not sent", class: "bad" },
  },
  app: {
    accepted: { text: "✓", class: "tick", title: "Acknowledged by the transport (ack)" },
    delivered: { text: "✓✓", class: "tick", title: "Delivered (delivery report)" },
    failed: { text: "✗ failed", class: "bad", title: "Not delivered (nack or delivery report)" },
  },
};

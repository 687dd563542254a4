// The phones side by side. Which there are, and what they dial and write to, is remembered in this browser.

import { announce, byId } from "./dom.js";
import { on } from "./events.js";
import { Phone } from "./phone.js";

const KEY = "vumi-phones";
const FIRST_NUMBER = "+27820000001";
const MOST = 12;

const phones = [];
const listeners = [];
let defaults = { code: "*120*8007#", to: "8007" };

/** Calls back with the numbers of all phones, now and whenever they change. */
export function onNumbers(listener) {
  listeners.push(listener);
  listener(numbers());
}

const numbers = () => phones.map((phone) => phone.number);

export function startPhones(simulator) {
  if (simulator) defaults = { code: simulator.ussd_code, to: simulator.sms_number };
  for (const saved of load()) add(saved);
  if (phones.length === 0) add({ number: FIRST_NUMBER });
  byId("add-phone").addEventListener("click", () => {
    const phone = add({ number: nextNumber() });
    changed();
    phone.root.scrollIntoView({ block: "nearest", inline: "nearest" });
    phone.focus();
    announce(`Phone ${phone.number} added`);
  });
  changed();
  on("phone", (update) => find(update.addr)?.update(update));
  on("run", (run) => find(run.user)?.ran(run));
  on("resync", () => phones.forEach((phone) => phone.reload()));
}

const find = (number) => phones.find((phone) => phone.number === number);

function add(saved) {
  const phone = new Phone({ ...defaults, ...saved }, {
    changed,
    isFree: (number) => find(number) === undefined,
    remove: () => remove(phone),
  });
  phones.push(phone);
  byId("phone-row").append(phone.root);
  phone.reload();
  return phone;
}

function remove(phone) {
  const index = phones.indexOf(phone);
  phones.splice(index, 1);
  phone.root.remove();
  changed();
  (phones[index] ?? phones[index - 1]).focus();
  announce(`Phone ${phone.number} removed`);
}

function nextNumber() {
  const digits = FIRST_NUMBER.slice(1);
  for (let step = 0; ; step += 1) {
    const number = `+${Number(digits) + step}`;
    if (!find(number)) return number;
  }
}

function changed() {
  byId("phones").dataset.count = String(phones.length);
  byId("add-phone").disabled = phones.length >= MOST;
  localStorage.setItem(KEY, JSON.stringify(phones.map((phone) => phone.saved())));
  for (const listener of listeners) listener(numbers());
}

function load() {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    const good = saved.filter((phone) => typeof phone.number === "string" && phone.number !== "");
    return good.slice(0, MOST);
  } catch {
    return [];
  }
}

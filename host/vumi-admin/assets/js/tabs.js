// Tabs as the ARIA Authoring Practices describe them: one tab stop, arrow keys, Home and End.

/** Wires a tab list to its panels, in the same order; answers with a function that shows one by its number. */
export function tabs(list, panels, shown = () => {}) {
  const buttons = [...list.querySelectorAll("[role=tab]")];
  const show = (chosen) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
      panels[index].hidden = index !== chosen;
    });
    shown(chosen);
  };
  buttons.forEach((button, index) => button.addEventListener("click", () => show(index)));
  list.addEventListener("keydown", (event) => {
    const current = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const target = {
      ArrowRight: current === last ? 0 : current + 1,
      ArrowLeft: current === 0 ? last : current - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    buttons[target].focus();
    show(target);
  });
  return show;
}

// What is said of the point that is read, beside it and to screen readers.

const tip = {
  element: Object.assign(document.createElement("div"), { id: "tip", hidden: true }),
  owner: null,
  show(owner, name, lines, [x, y]) {
    this.owner = owner;
    const title = Object.assign(document.createElement("strong"), { textContent: name });
    const texts = lines.map((line) => Object.assign(document.createElement("span"), { textContent: line }));
    this.element.replaceChildren(title, ...texts);
    this.element.hidden = false;
    const { width, height } = this.element.getBoundingClientRect();
    const room = document.documentElement.clientWidth;
    const left = x + 14 + width > room ? Math.max(4, x - 14 - width) : x + 14;
    const top = y - 14 - height < 4 ? y + 14 : y - 14 - height;
    this.element.style.left = `${left + scrollX}px`;
    this.element.style.top = `${top + scrollY}px`;
  },
  hide(owner) {
    if (this.owner === owner) this.element.hidden = true;
  },
};
tip.element.setAttribute("role", "status");
document.body.append(tip.element);

// The page's points, charts and buttons.

const { variants, curves, fronts } = JSON.parse(document.getElementById("points").textContent);
const hidden = new Set();
let printing = false; // paper shows every variant and whole charts
const isShown = (variant) => printing || !hidden.has(variant);

function curvePoints({ unit, decimals, series }) {
  const write = (value) => value.toFixed(decimals).replace("-", "\u2212");
  const seen = new Map();
  return series.flatMap(({ variant, note, points }, line) => {
    const number = seen.get(variant) ?? 0;
    seen.set(variant, number + 1);
    return points.map(([x, y, low, high, from, to]) => {
      const text = [`Epoch ${x}: ${write(y)} ${unit}`];
      if (note) text.push(note);
      if (from !== null) text.push(`95 % interval ${write(from)} to ${write(to)}`);
      if (low !== null) text.push(`runs from ${write(low)} to ${write(high)}`);
      return { variant, series: number, line, x, y, text };
    });
  });
}

function frontPoints(figure, { points }) {
  const groups = new Map(all(".point", figure).map((group) => [places(group)[0], group]));
  return points.map((point) => {
    const group = groups.get(point.variant);
    const dot = group.querySelector("circle");
    const place = ["cx", "cy"].map((name) => Number(dot.getAttribute(name)));
    return { ...point, series: 0, line: point.variant, x: point.cost, group, place };
  });
}

const figureOf = ({ chart }) => document.querySelector(`figure[data-chart="${chart}"]`);
const drawn = [];
for (const curve of curves) {
  const figure = figureOf(curve);
  if (figure) drawn.push(new Chart(figure, curvePoints(curve), false));
}
for (const front of fronts) {
  const figure = figureOf(front);
  if (figure) drawn.push(new Chart(figure, frontPoints(figure, front), true));
}

const controls = document.getElementById("controls");
const shown = document.getElementById("shown");

function update() {
  for (const element of all("main [data-variants]")) {
    element.classList.toggle("off", places(element).some((variant) => hidden.has(variant)));
  }
  for (const button of all("[data-toggle][aria-pressed]", controls)) {
    button.setAttribute("aria-pressed", String(!hidden.has(Number(button.dataset.toggle))));
  }
  shown.textContent = `${variants.length - hidden.size} of ${variants.length} shown`;
  for (const chart of drawn) chart.draw();
}

controls.addEventListener("click", (event) => {
  const toggle = event.target.closest("button")?.dataset.toggle;
  if (toggle === undefined) return;
  if (toggle === "all") hidden.clear();
  else if (toggle === "none") variants.forEach((_, variant) => hidden.add(variant));
  else if (!hidden.delete(Number(toggle))) hidden.add(Number(toggle));
  update();
});

for (const choice of all(".switch")) {
  const buttons = all("button", choice);
  const choose = (cost) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.cost === cost));
    const grid = choice.nextElementSibling;
    grid.classList.toggle("single", cost !== "");
    for (const figure of all("figure", grid)) figure.classList.toggle("off", cost !== "" && figure.dataset.chart !== cost);
  };
  choice.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) choose(button.dataset.cost);
  });
  choose(buttons[0].dataset.cost);
}

let opened = [];
addEventListener("beforeprint", () => {
  printing = true;
  opened = all("details:not([open])");
  for (const details of opened) details.open = true;
  for (const chart of drawn) chart.draw();
});
addEventListener("afterprint", () => {
  printing = false;
  for (const details of opened) details.open = false;
  for (const chart of drawn) chart.draw();
});

update();
for (const element of all("#controls, .switch, .tools")) element.hidden = false;

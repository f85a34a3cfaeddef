// What a reader can do with the page: hide variants, zoom charts, read values, choose a cost.
// Without this script the page shows everything at once.
"use strict";

(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const PIXEL = 4; // units of a chart to a CSS pixel of its own size
  const NAME_HEIGHT = 14 * PIXEL;
  const REACH = 40 * PIXEL; // a point is read from as far away

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const numbers = (text) => text.trim().split(/[\s,]+/).map(Number);
  const places = (element) => numbers(element.dataset.variants);
  const { variants, curves, fronts } = JSON.parse(document.getElementById("points").textContent);
  const hidden = new Set();
  let printing = false; // paper shows every variant and whole charts
  const isShown = (variant) => printing || !hidden.has(variant);

  function create(name, attributes, parent) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (parent) parent.append(element);
    return element;
  }

  // Round numbers within an axis, about `count` of them.
  function ticks(low, high, count, least) {
    const rough = Math.max((high - low) / count, least);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ([1, 2, 5].find((factor) => power * factor >= rough * 0.999) ?? 10);
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const found = [];
    for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) {
      found.push({ value: n * step, text: (n * step).toFixed(decimals).replace("-", "\u2212") });
    }
    return found;
  }

  // The coordinates of a shape, to be moved.
  function movable(element) {
    switch (element.tagName) {
      case "circle": {
        const [x, y] = ["cx", "cy"].map((name) => Number(element.getAttribute(name)));
        return (move) => {
          const [a, b] = move([x, y]);
          element.setAttribute("cx", a);
          element.setAttribute("cy", b);
        };
      }
      case "polyline":
      case "polygon": {
        const flat = numbers(element.getAttribute("points"));
        const points = flat.flatMap((x, index) => (index % 2 ? [] : [[x, flat[index + 1]]]));
        return (move) => element.setAttribute("points", points.map((point) => move(point).join(",")).join(" "));
      }
      default:
        return () => {};
    }
  }

  class Chart {
    // `points` are in the units of the axes: {variant, series, x, y, text}.
    constructor(figure, points, isFront) {
      this.svg = figure.querySelector("svg");
      this.isFront = isFront;
      const [left, top, right, bottom] = numbers(this.svg.dataset.plot);
      this.whole = { left, top, right, bottom };
      this.view = this.whole; // the part that is shown, in the units of the whole chart
      [this.x, this.y] = [numbers(this.svg.dataset.x), numbers(this.svg.dataset.y)];
      this.points = points;
      for (const point of points) {
        const [low, high] = this.x;
        point.place ??= [
          left + ((point.x - low) / (high - low)) * (right - left),
          bottom - ((point.y - this.y[0]) / (this.y[1] - this.y[0])) * (bottom - top),
        ];
      }
      this.moves = all(".band *, .line *, .point *", this.svg).map(movable);
      this.axes = this.svg.querySelector(".axes");
      this.ownAxes = create("g", { class: "axes" });
      this.axes.before(this.ownAxes);
      this.names = all(".name", this.svg).map((group) => ({ group, variant: places(group)[0], text: group.querySelector("text") }));
      this.selected = null;
      this.prepare(figure);
    }

    prepare(figure) {
      const { left, top, right, bottom } = this.whole;
      const id = `clip-${figure.dataset.chart}`;
      const edge = 5 * PIXEL; // points on an edge stay whole
      create("rect", { x: left - edge, y: top - edge, width: right - left + 2 * edge, height: bottom - top + 2 * edge },
        create("clipPath", { id }, this.svg));
      for (const group of all(".band, .line, .point, .front", this.svg)) group.setAttribute("clip-path", `url(#${id})`);
      this.ring = create("circle", { class: "ring", r: 7 * PIXEL, display: "none" }, this.svg);
      this.brush = create("rect", { class: "brush", display: "none" }, this.svg);
      this.svg.setAttribute("tabindex", "0");
      this.svg.setAttribute("role", "application");
      this.svg.addEventListener("keydown", (event) => this.key(event));
      this.svg.addEventListener("focus", () => this.svg.matches(":focus-visible") && this.select(this.visible()[0]));
      this.svg.addEventListener("blur", () => this.select(null));
      this.svg.addEventListener("pointerdown", (event) => this.press(event));
      this.svg.addEventListener("pointermove", (event) => this.point(event));
      this.svg.addEventListener("pointerleave", () => this.select(null));
      this.svg.addEventListener("dblclick", () => this.zoom(this.whole));
      const tools = figure.querySelector(".tools");
      tools.addEventListener("click", (event) => {
        const action = event.target.closest("button")?.dataset.zoom;
        if (action) this.scale({ in: 0.5, out: 2, reset: Infinity }[action]);
      });
    }

    // From the units of the whole chart to where it is drawn.
    move([x, y]) {
      const { whole, view } = this;
      const share = [(x - view.left) / (view.right - view.left), (y - view.top) / (view.bottom - view.top)];
      const moved = [whole.left + share[0] * (whole.right - whole.left), whole.top + share[1] * (whole.bottom - whole.top)];
      return moved.map((value) => Math.round(value * 10) / 10);
    }

    isWithin([x, y]) {
      const { left, top, right, bottom } = this.whole;
      return x >= left - 1 && x <= right + 1 && y >= top - 1 && y <= bottom + 1;
    }

    // The points that can be read now.
    visible() {
      return this.points.filter((point) => isShown(point.variant) && this.isWithin(this.move(point.place)));
    }

    get isZoomed() {
      return !printing && this.view !== this.whole;
    }

    draw() {
      const kept = this.view;
      if (printing) this.view = this.whole;
      for (const change of this.moves) change((point) => this.move(point));
      this.axes.setAttribute("display", this.isZoomed ? "none" : "inline");
      this.ownAxes.replaceChildren();
      if (this.isZoomed) this.drawAxes();
      if (this.isFront) this.drawFront();
      this.drawNames();
      this.view = kept;
      this.select(null);
    }

    // The values at the edges of what is shown.
    range() {
      const { whole, view } = this;
      const along = (axis, from, to, place) => axis[0] + ((place - from) / (to - from)) * (axis[1] - axis[0]);
      return {
        x: [view.left, view.right].map((place) => along(this.x, whole.left, whole.right, place)),
        y: [view.bottom, view.top].map((place) => along(this.y, whole.bottom, whole.top, place)),
      };
    }

    drawAxes() {
      const { left, top, right, bottom } = this.whole;
      const range = this.range();
      const lines = all("line", this.axes);
      const upright = lines.find((line) => line.getAttribute("x1") === line.getAttribute("x2"));
      const level = lines.find((line) => line.getAttribute("y1") === line.getAttribute("y2"));
      const copy = (template, attributes, text) => {
        if (!template) return;
        const element = template.cloneNode(true);
        for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
        if (text !== undefined) element.textContent = text;
        this.ownAxes.append(element);
      };
      for (const { value, text } of ticks(...range.y, 5, 0)) {
        const y = bottom - ((value - range.y[0]) / (range.y[1] - range.y[0])) * (bottom - top);
        copy(level, { x1: left, x2: right, y1: y, y2: y });
        copy(this.axes.querySelector('text[text-anchor="end"]'), { y }, text);
      }
      for (const { value, text } of ticks(...range.x, 5, this.isFront ? 0 : 1)) {
        const x = left + ((value - range.x[0]) / (range.x[1] - range.x[0])) * (right - left);
        copy(upright, { x1: x, x2: x, y1: top, y2: bottom });
        copy(this.axes.querySelector('text[text-anchor="middle"]'), { x }, text);
      }
    }

    // The front of the variants that are shown, as steps.
    drawFront() {
      const shown = this.points.filter((point) => isShown(point.variant));
      const beats = (a, b) => a.cost <= b.cost && a.top1 >= b.top1 && (a.cost < b.cost || a.top1 > b.top1);
      const on = shown.filter((point) => !shown.some((other) => beats(other, point)));
      for (const point of shown) {
        const [dot, hole] = all("circle", point.group);
        hole?.remove();
        if (on.includes(point)) continue;
        const other = dot.cloneNode();
        other.setAttribute("r", 2.75 * PIXEL);
        other.setAttribute("fill", "#FFFFFF"); // the paper's, which the style turns dark
        point.group.append(other);
      }
      on.sort((a, b) => a.cost - b.cost);
      const steps = [];
      for (const [x, y] of on.map((point) => this.move(point.place))) {
        if (steps.length) steps.push([x, steps.at(-1)[1]]);
        steps.push([x, y]);
      }
      if (steps.length) steps.push([Math.max(this.whole.right, steps.at(-1)[0]), steps.at(-1)[1]]);
      this.svg.querySelector(".front polyline")?.setAttribute("points", steps.map((step) => step.join(",")).join(" "));
    }

    // The names of what is shown, beside the last point of each, and apart from one another.
    drawNames() {
      const { top, bottom, right } = this.whole;
      const named = [];
      for (const { group, variant, text } of this.names) {
        const points = this.points.filter((point) => point.variant === variant && point.series === 0);
        const last = points.map((point) => this.move(point.place)).findLast((place) => this.isWithin(place));
        group.setAttribute("display", last ? "inline" : "none");
        if (last && isShown(variant)) named.push({ group, text, last, height: last[1] });
      }
      named.sort((a, b) => a.height - b.height);
      let free = top;
      for (const name of named) free = (name.height = Math.max(name.height, free)) + NAME_HEIGHT;
      let limit = bottom - 6 * PIXEL;
      for (const name of named.reverse()) limit = (name.height = Math.min(name.height, limit)) - NAME_HEIGHT;
      for (const { group, text, last, height } of named) {
        const left = Number(text.getAttribute("x"));
        text.setAttribute("y", height);
        const line = group.querySelector("polyline")
          ?? create("polyline", { fill: "none", stroke: text.getAttribute("fill"), "stroke-width": 3, opacity: 0.45 }, group);
        const isFar = Math.abs(height - last[1]) > 2 * PIXEL || last[0] < right - 12 * PIXEL;
        line.setAttribute("points", isFar ? `${last[0] + 5 * PIXEL},${last[1]} ${left - 3 * PIXEL},${height}` : "");
      }
    }

    zoom(view) {
      const least = (this.whole.right - this.whole.left) / 200;
      if (view.right - view.left < least || view.bottom - view.top < least) return;
      const { left, top, right, bottom } = this.whole;
      const inner = {
        left: Math.max(view.left, left),
        top: Math.max(view.top, top),
        right: Math.min(view.right, right),
        bottom: Math.min(view.bottom, bottom),
      };
      const isWhole = Object.keys(inner).every((side) => Math.abs(inner[side] - this.whole[side]) < 1);
      this.view = isWhole ? this.whole : inner;
      this.draw();
    }

    // Shows so many times as much, around the point that is read, or the middle.
    scale(factor) {
      if (factor === Infinity) return this.zoom(this.whole);
      const { left, top, right, bottom } = this.view;
      const [x, y] = this.selected?.place ?? [(left + right) / 2, (top + bottom) / 2];
      const around = (low, high, middle) => [middle - (middle - low) * factor, middle + (high - middle) * factor];
      const [newLeft, newRight] = around(left, right, x);
      const [newTop, newBottom] = around(top, bottom, y);
      this.zoom({ left: newLeft, top: newTop, right: newRight, bottom: newBottom });
    }

    // Where the pointer is, in the chart's units.
    pointer(event) {
      const box = this.svg.getBoundingClientRect();
      const { width, height } = this.svg.viewBox.baseVal;
      return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
    }

    press(event) {
      const start = this.pointer(event);
      // A finger scrolls the page, and has buttons to zoom.
      if (event.pointerType === "touch" || event.button !== 0 || !this.isWithin(start)) return;
      this.start = start;
      this.svg.setPointerCapture(event.pointerId);
      const release = (end) => {
        this.svg.removeEventListener("pointerup", release);
        this.svg.removeEventListener("pointercancel", release);
        this.start = null;
        this.brush.setAttribute("display", "none");
        if (end.type === "pointerup") this.zoomTo(start, this.pointer(end));
      };
      this.svg.addEventListener("pointerup", release);
      this.svg.addEventListener("pointercancel", release);
    }

    // Zooms to what was dragged over; along one axis where the other was hardly moved on.
    zoomTo([startX, startY], [endX, endY]) {
      const { whole, view } = this;
      const [isWide, isHigh] = [Math.abs(endX - startX), Math.abs(endY - startY)].map((length) => length > 8 * PIXEL);
      if (!isWide && !isHigh) return;
      const back = (place, from, to, low, high) => low + ((place - from) / (to - from)) * (high - low);
      const x = [startX, endX].map((place) => back(place, whole.left, whole.right, view.left, view.right));
      const y = [startY, endY].map((place) => back(place, whole.top, whole.bottom, view.top, view.bottom));
      this.zoom({
        left: isWide ? Math.min(...x) : view.left,
        right: isWide ? Math.max(...x) : view.right,
        top: isHigh ? Math.min(...y) : view.top,
        bottom: isHigh ? Math.max(...y) : view.bottom,
      });
    }

    point(event) {
      const [x, y] = this.pointer(event);
      if (this.start) {
        const [left, top] = [Math.min(x, this.start[0]), Math.min(y, this.start[1])];
        const [width, height] = [Math.abs(x - this.start[0]), Math.abs(y - this.start[1])];
        for (const [key, value] of Object.entries({ x: left, y: top, width, height, display: "inline" })) {
          this.brush.setAttribute(key, value);
        }
        return;
      }
      let [nearest, least] = [null, REACH];
      for (const point of this.visible()) {
        const [a, b] = this.move(point.place);
        const distance = Math.hypot(a - x, b - y);
        if (distance < least) [nearest, least] = [point, distance];
      }
      this.select(nearest);
    }

    key(event) {
      const points = this.visible();
      const place = points.indexOf(this.selected);
      const series = [...new Set(points.map((point) => point.line))];
      const ofLine = (line) => points.filter((point) => point.line === line);
      const step = (by) => {
        const own = ofLine(this.selected.line);
        return own[own.indexOf(this.selected) + by] ?? (this.isFront ? points.at((place + by) % points.length) : this.selected);
      };
      const change = (by) => {
        const line = series.at((series.indexOf(this.selected.line) + by) % series.length);
        const nearest = (a, b) => (Math.abs(b.x - this.selected.x) < Math.abs(a.x - this.selected.x) ? b : a);
        return ofLine(line).reduce(nearest);
      };
      const actions = {
        ArrowRight: () => this.select(step(1)),
        ArrowLeft: () => this.select(step(-1)),
        ArrowDown: () => this.select(change(1)),
        ArrowUp: () => this.select(change(-1)),
        Escape: () => this.select(null),
        "+": () => this.scale(0.5),
        "-": () => this.scale(2),
        0: () => this.scale(Infinity),
      };
      if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
      event.preventDefault();
      if (event.key.startsWith("Arrow") && place < 0) return this.select(points[0]);
      actions[event.key]();
    }

    // Shows what is said of a point, or nothing.
    select(point) {
      this.selected = point ?? null;
      this.ring.setAttribute("display", point ? "inline" : "none");
      if (!point) return tip.hide(this);
      const [x, y] = this.move(point.place);
      this.ring.setAttribute("cx", x);
      this.ring.setAttribute("cy", y);
      const box = this.svg.getBoundingClientRect();
      const { width, height } = this.svg.viewBox.baseVal;
      tip.show(this, variants[point.variant], point.text, [box.left + (x / width) * box.width, box.top + (y / height) * box.height]);
    }
  }

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

  shown.textContent = `${variants.length} of ${variants.length} shown`;
  for (const element of all("#controls, .switch, .tools")) element.hidden = false;
})();

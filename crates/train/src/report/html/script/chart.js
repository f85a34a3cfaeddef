// A chart that can be zoomed, and whose points can be read by pointing at them or with the arrow keys.

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
    this.names = all(".label", this.svg).map((group) => ({ group, variant: places(group)[0], text: group.querySelector("text") }));
    this.selected = null;
    this.prepare(figure);
  }

  prepare(figure) {
    const id = `clip-${figure.dataset.chart}`;
    this.clip = create("rect", {}, create("clipPath", { id }, this.svg));
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
    const { left, top, right, bottom } = this.whole;
    const edge = this.isZoomed ? 0 : 6 * PIXEL; // points on an edge of the whole chart stay whole
    const inner = { x: left - edge, y: top - edge, width: right - left + 2 * edge, height: bottom - top + 2 * edge };
    for (const [key, value] of Object.entries(inner)) this.clip.setAttribute(key, value);
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
    const compared = shown.filter((point) => point.compared);
    const on = compared.filter((point) => !compared.some((other) => beats(other, point)));
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
      const last = this.lastOf(points.map((point) => this.move(point.place)));
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

  // The last place of a line that is within the chart: a point, or where it leaves the chart to the right.
  lastOf(places) {
    const { right } = this.whole;
    for (let index = places.length - 1; index >= 0; index--) {
      const [place, before] = [places[index], places[index - 1]];
      if (this.isWithin(place)) return place;
      if (!before || before[0] > right || place[0] <= right) continue;
      const share = (right - before[0]) / (place[0] - before[0]);
      const edge = [right, before[1] + share * (place[1] - before[1])];
      if (this.isWithin(edge)) return edge;
    }
    return undefined;
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

// What the page's script is made of: shapes that move and round numbers.
//
// The script lets a reader hide variants, zoom charts, read values and choose a cost. Without it the page shows everything at once.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const PIXEL = 4; // units of a chart to a CSS pixel of its own size
const NAME_HEIGHT = 14 * PIXEL;
const REACH = 40 * PIXEL; // a point is read from as far away

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const numbers = (text) => text.split(/[\s,]+/).filter(Boolean).map(Number);
const places = (element) => numbers(element.dataset.variants);

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

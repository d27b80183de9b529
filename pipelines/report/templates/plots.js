
const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.textContent = text;
  return made;
}

function shortened(value) {
  return Math.abs(value) >= 10000 || value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1).replace("e+", "e") : String(Number(value.toPrecision(3)));
}

// Round numbers between two others.
function ticks(low, high, wanted) {
  const raw = (high - low || 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const size = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw * 0.999);
  const found = [];
  for (let at = Math.ceil(low / size - 1e-9); at * size <= high + 1e-9 * size; at += 1) found.push(Number((at * size).toPrecision(12)));
  return found;
}

// A plot: lines of the trials in sight, drawn anew when they or the width change, and found by the pointer.
class Plot {
  constructor(board, svg, tip) {
    Object.assign(this, { board, svg, tip, lines: new Map() });
    const redraw = () => this.draw();
    board.watch({ filtered: redraw, pinned: () => this.mark(), pointed: () => this.mark() });
    new ResizeObserver(() => { if (svg.parentElement.clientWidth !== this.drawnFor) redraw(); }).observe(svg.parentElement);
    svg.addEventListener("pointermove", (event) => this.hover(event));
    svg.addEventListener("pointerdown", (event) => this.hover(event));
    svg.addEventListener("pointerleave", () => { tip.hidden = true; board.point(null); });
    svg.addEventListener("click", () => { if (board.now !== null) board.pin(board.now); });
    svg.addEventListener("keydown", (event) => stepBy(board, event, "ArrowLeft", "ArrowRight", () => this.tellNow()));
    svg.addEventListener("blur", () => { tip.hidden = true; });
  }

  draw() {
    this.drawnFor = this.svg.parentElement.clientWidth;
    this.svg.replaceChildren();
    this.lines.clear();
    const known = [...this.board.shown].map((n) => this.board.trials[n].accuracy).filter((value) => value !== null);
    this.range = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
    this.legend = drawn("g", {}); // above the lines, so that it can be read
    this.frame();
    const group = drawn("g", {});
    for (const n of this.board.shown) {
      const points = this.points(n);
      if (!points.length) continue;
      const line = drawn("path", { class: "trial", d: points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") });
      this.colour(line, n);
      this.lines.set(n, { line, points });
      group.append(line);
    }
    this.svg.append(group, this.legend);
    this.mark();
  }

  size(width, height) {
    Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }).forEach(([key, value]) => this.svg.setAttribute(key, value));
  }

  colour(line, n) {
    const { accuracy, error } = this.board.trials[n];
    if (error) line.classList.add("broken");
    const [low, high] = this.range;
    if (accuracy === null || !(high > low)) return;
    // Steep: what matters is which of the good ones is better.
    const share = ((accuracy - low) / (high - low)) ** 3;
    line.style.setProperty("--tone", `color-mix(in srgb, var(--s0) ${Math.round(100 * share)}%, var(--gone))`);
    line.style.setProperty("--strength", String(0.3 + 0.6 * share));
  }

  mark() {
    const { now, pins } = this.board;
    this.lines.forEach(({ line }, n) => {
      line.setAttribute("class", ["trial", this.board.trials[n].error ? "broken" : "", pins.has(n) ? `pinned pin${pins.get(n)}` : "", n === now ? "now" : ""].join(" ").trim());
      if (pins.has(n) || n === now) line.parentNode.append(line);
    });
  }

  hover(event) {
    const box = this.svg.getBoundingClientRect();
    const found = this.nearest(event.clientX - box.left, event.clientY - box.top);
    this.board.point(found);
    this.show(found, event.clientX, event.clientY);
  }

  // The trial whose line passes nearest, up to a finger's width away.
  nearest(x, y) {
    let [best, least] = [null, 24];
    this.lines.forEach(({ points }, n) => {
      const after = points.findIndex((point) => point[0] >= x);
      const end = after < 0 ? points.length - 1 : after;
      const [right, left] = [points[end], points[Math.max(0, end - 1)]];
      const span = right[0] - left[0];
      const share = span > 0 ? Math.min(1, Math.max(0, (x - left[0]) / span)) : 0;
      const away = Math.hypot(left[1] + share * (right[1] - left[1]) - y, left[0] + share * span - x);
      if (away < least) [best, least] = [n, away];
    });
    return best;
  }

  tellNow() {
    const found = this.lines.get(this.board.now);
    if (!found) { this.tip.hidden = true; return; }
    const box = this.svg.getBoundingClientRect();
    const [x, y] = found.points[found.points.length - 1];
    this.show(this.board.now, box.left + x, box.top + y);
  }

  show(n, x, y) {
    this.tip.hidden = n === null;
    if (n === null) return;
    const trial = this.board.trials[n];
    this.tip.replaceChildren(element("b", trial.name), ` ${trial.error ? trial.status : percent(trial.accuracy)}`, element("div", this.about(n), "dim"));
    const { width, height } = this.tip.getBoundingClientRect();
    this.tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 6))}px`;
    this.tip.style.top = `${y + 16 + height > innerHeight ? Math.max(4, y - height - 12) : y + 16}px`;
  }
}

// Parallel coordinates (Inselberg 1985): an axis for each parameter in which the trials in sight differ.
class Parallel extends Plot {
  frame() {
    const { board } = this;
    const seen = [...board.shown];
    const differs = (at) => new Set(seen.map((n) => board.trials[n].values[at]).filter((value) => value !== null)).size > 1;
    const models = [...new Set(seen.map((n) => board.trials[n].model))];
    this.axes = [
      ...(models.length > 1 ? [{ name: "model", kind: "choice", choices: models.sort(), of: (trial) => trial.model }] : []),
      ...board.axes.map((axis, at) => ({ ...axis, at, of: (trial) => trial.values[at] })).filter((axis) => differs(axis.at)),
      this.accuracy(),
    ];
    const width = Math.max(this.drawnFor, 40 + 96 * this.axes.length);
    const height = 340;
    this.size(width, height);
    Object.assign(this, { top: 40, foot: height - 34 });
    this.axes.forEach((axis, at) => {
      axis.x = this.axes.length > 1 ? 34 + at * (width - 34 - 62) / (this.axes.length - 1) : width / 2;
      this.axis(axis, at);
    });
  }

  accuracy() {
    const [low, high] = this.range;
    return { name: "accuracy", kind: "number", low, high, of: (trial) => trial.accuracy };
  }

  place(axis, value) {
    if (value === null || value === undefined) return this.foot + 20;
    const { top, foot } = this;
    if (axis.kind === "choice") return axis.choices.length > 1 ? foot - axis.choices.indexOf(value) * (foot - top) / (axis.choices.length - 1) : (foot + top) / 2;
    const turned = axis.kind === "log" ? Math.log : Number;
    const [low, high] = [turned(axis.low), turned(axis.high)];
    return foot - (high > low ? (turned(value) - low) / (high - low) : 0.5) * (foot - top);
  }

  axis(axis, number) {
    const { x } = axis;
    this.svg.append(drawn("line", { class: "axis", x1: x, x2: x, y1: this.top, y2: this.foot }));
    // Long names of neighbours would touch: every other one stands higher.
    const last = number === this.axes.length - 1;
    const anchor = last ? "end" : number === 0 ? "start" : "middle";
    this.legend.append(drawn("text", { class: "name", x: last ? x + 58 : number === 0 ? 2 : x, y: number % 2 ? 12 : 27, "text-anchor": anchor }, axis.name));
    this.marks(axis).forEach(([value, text]) => {
      const y = this.place(axis, value);
      this.legend.append(drawn("text", { class: "tick", x: x + 5, y: y + 3.5 }, text.length > 12 ? `${text.slice(0, 11)}…` : text));
    });
    if ([...this.board.shown].some((n) => axis.of(this.board.trials[n]) == null)) this.legend.append(drawn("text", { class: "tick", x: x + 5, y: this.foot + 24 }, "none"));
  }

  marks(axis) {
    if (axis.kind === "choice") return axis.choices.map((choice) => [choice, String(choice)]);
    const values = [...new Set([...this.board.shown].map((n) => axis.of(this.board.trials[n])).filter((value) => value != null))].sort((a, b) => a - b);
    if (values.length <= 6 && axis.name !== "accuracy") return values.map((value) => [value, shortened(value)]);
    if (axis.kind === "log") return [axis.low, Math.sqrt(axis.low * axis.high), axis.high].map((value) => [value, shortened(value)]);
    return ticks(axis.low, axis.high, 5).map((value) => [value, shortened(value)]);
  }

  points(n) { return this.axes.map((axis) => [axis.x, this.place(axis, axis.of(this.board.trials[n]))]); }

  about(n) { return this.board.trials[n].given; }
}

// Learning curves over each other.
class Learning extends Plot {
  constructor(board, svg, tip, chosen) {
    super(board, svg, tip);
    this.chosen = chosen;
    board.curves.forEach(({ name, label }) => chosen.append(new Option(label, name)));
    chosen.addEventListener("change", () => this.draw());
  }

  curve(n) { return this.board.trials[n].curves[this.chosen.value] ?? []; }

  frame() {
    const curves = [...this.board.shown].map((n) => this.curve(n));
    const known = curves.flat().filter((value) => value !== null);
    const [low, high] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
    const epochs = Math.max(1, ...curves.map((curve) => curve.length));
    const [width, height, left, foot, top] = [this.drawnFor, 340, 42, 306, 12];
    this.size(width, height);
    this.x = (epoch) => left + 8 + (width - left - 18) * (epochs > 1 ? (epoch - 1) / (epochs - 1) : 0.5);
    this.y = (value) => foot - (foot - top) * (high > low ? (value - low) / (high - low) : 0.5);
    ticks(low, high, 6).forEach((value) => {
      const y = this.y(value);
      this.svg.append(drawn("line", { class: "grid", x1: left, x2: width - 4, y1: y, y2: y }), drawn("text", { class: "tick", x: left - 6, y: y + 4, "text-anchor": "end" }, shortened(value)));
    });
    ticks(1, epochs, 8).filter((epoch) => Number.isInteger(epoch) && epoch >= 1).forEach((epoch) => {
      this.svg.append(drawn("text", { class: "tick", x: this.x(epoch), y: foot + 16, "text-anchor": "middle" }, String(epoch)));
    });
    this.svg.append(drawn("text", { class: "tick", x: (left + width) / 2, y: height - 4, "text-anchor": "middle" }, "epoch"));
  }

  points(n) { return this.curve(n).flatMap((value, at) => value === null ? [] : [[this.x(at + 1), this.y(value)]]); }

  about(n) {
    const known = this.curve(n).filter((value) => value !== null);
    const last = known[known.length - 1];
    return `${this.chosen.selectedOptions[0]?.textContent}: ${shortened(last)} after ${this.curve(n).length} epochs`;
  }
}

function start() {
  const board = new Board(JSON.parse(document.getElementById("data").textContent), document.querySelector("table.trials"));
  const tip = document.querySelector(".tip");
  rowsOf(board);
  detailOf(board, document.querySelector(".detail"));
  new Parallel(board, document.querySelector(".parallel svg"), tip);
  new Learning(board, document.querySelector(".learning svg"), tip, document.querySelector(".learning select"));
  filterBy(board, document.querySelector("form.filters"));
}

start();

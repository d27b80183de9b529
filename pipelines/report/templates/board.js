
// What the table, the curves and the parameters share: which trials are in sight, pinned, and pointed at.
class Board {
  constructor(data, table) {
    this.trials = data.trials;
    this.axes = data.axes;
    this.curves = data.curves;
    this.body = table.tBodies[0];
    this.rows = [...this.body.rows].sort((a, b) => a.dataset.n - b.dataset.n);
    this.shown = new Set(this.trials.keys());
    this.pins = new Map();
    this.now = null;
    this.watchers = [];
    this.texts = this.trials.map((trial) => [trial.name, trial.model, trial.engine, trial.status, trial.given, trial.error].join(" ").toLowerCase());
  }

  watch(watcher) { this.watchers.push(watcher); }
  tell(what) { this.watchers.forEach((watcher) => watcher[what]?.()); }

  // The trials in sight, in the order of the table.
  order() { return [...this.body.rows].filter((row) => !row.hidden).map((row) => Number(row.dataset.n)); }

  filter(wanted) {
    this.shown = new Set([...this.trials.keys()].filter(wanted));
    this.rows.forEach((row, n) => { row.hidden = !this.shown.has(n); });
    if (this.now !== null && !this.shown.has(this.now)) this.point(null);
    this.tell("filtered");
  }

  point(n) {
    if (n === this.now) return;
    this.now = n;
    this.tell("pointed");
  }

  pin(n) {
    if (!this.pins.delete(n)) {
      const taken = new Set(this.pins.values());
      this.pins.set(n, [0, 1, 2, 3, 4, 5].find((colour) => !taken.has(colour)) ?? this.pins.size % 6);
    }
    this.tell("pinned");
  }

  unpin() {
    this.pins.clear();
    this.tell("pinned");
  }

  step(by) {
    const order = this.order();
    if (!order.length) return;
    const at = order.indexOf(this.now);
    this.point(order[at < 0 ? 0 : Math.min(order.length - 1, Math.max(0, at + by))]);
  }
}

function element(name, content = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = content;
  made.className = kind;
  return made;
}

function percent(value) { return value === null ? "–" : `${(100 * value).toFixed(2)} %`; }

// The form: words that all must be found, and choices.
function filterBy(board, form) {
  const told = form.querySelector("output");
  const apply = () => {
    const given = new FormData(form);
    const words = String(given.get("words")).toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (trial) => ["model", "engine", "status", "run"].every((key) => !given.get(key) || trial[key] === given.get(key));
    board.filter((n) => words.every((word) => board.texts[n].includes(word)) && fits(board.trials[n])
      && (!given.get("ties") || board.trials[n].tie));
    told.textContent = `${board.shown.size} of ${board.trials.length} trials`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("change", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
}

// Rows: pointing and pinning by mouse and by keyboard; one row at a time is reached by the tab key.
function rowsOf(board) {
  const numberOf = (event) => { const row = event.target.closest("tr"); return row ? Number(row.dataset.n) : null; };
  let last = "";
  board.body.addEventListener("pointerover", (event) => {
    // Rows that the keyboard scrolls past a resting mouse are not pointed at.
    const at = `${event.screenX} ${event.screenY}`;
    if (event.pointerType === "mouse" && at !== last) board.point(numberOf(event));
    last = at;
  });
  board.body.addEventListener("focusin", (event) => board.point(numberOf(event)));
  board.body.addEventListener("click", (event) => { board.point(numberOf(event)); board.pin(numberOf(event)); });
  board.body.addEventListener("keydown", (event) => stepBy(board, event, "ArrowUp", "ArrowDown", () => board.rows[board.now]?.focus()));
  board.watch({
    pointed() {
      board.body.querySelectorAll("tr.now").forEach((row) => row.classList.remove("now"));
      if (board.now === null) return;
      board.body.querySelectorAll("tr[tabindex='0']").forEach((row) => { row.tabIndex = -1; });
      board.rows[board.now].tabIndex = 0;
      board.rows[board.now].classList.add("now");
    },
    filtered() {
      const first = board.order()[0];
      board.rows.forEach((row, n) => { row.tabIndex = n === (board.now ?? first) ? 0 : -1; });
    },
    pinned() {
      board.rows.forEach((row, n) => {
        row.setAttribute("aria-selected", String(board.pins.has(n)));
        [...row.classList].filter((kind) => /^pin\d$/.test(kind)).forEach((kind) => row.classList.remove(kind));
        if (board.pins.has(n)) row.classList.add(`pin${board.pins.get(n)}`);
      });
    },
  });
}

// Keys of rows and plots alike.
function stepBy(board, event, back, forth, after = () => {}) {
  const moves = { [back]: -1, [forth]: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
  if (event.key in moves) board.step(moves[event.key]);
  else if ((event.key === " " || event.key === "Enter") && board.now !== null) board.pin(board.now);
  else if (event.key === "Escape") board.unpin();
  else return;
  event.preventDefault();
  after();
}

// Below the table: all there is to know of the trial pointed at, and of those pinned.
function detailOf(board, place) {
  const shown = (n) => {
    const trial = board.trials[n];
    const line = element("p");
    if (board.pins.has(n)) line.append(element("i", "", `pin pin${board.pins.get(n)}`));
    line.append(element("b", trial.name), ` ${percent(trial.accuracy)} ${trial.given}`);
    return trial.error ? [line, element("pre", trial.error)] : [line];
  };
  const tell = () => {
    const wanted = [...new Set([...board.pins.keys(), ...(board.now === null ? [] : [board.now])])];
    place.replaceChildren(...wanted.flatMap(shown));
  };
  board.watch({ pointed: tell, pinned: tell });
}

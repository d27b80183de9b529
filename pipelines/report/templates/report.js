"use strict";

// Sortable tables: a button in every heading. Numbers sort by their exact value, equal rows keep their order.
function sortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    if (heading.tagName !== "TH" || heading.classList.contains("fixed")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, headings, column));
  });
}

function sort(table, headings, column) {
  const heading = headings[column];
  const numbers = heading.classList.contains("n");
  const now = heading.getAttribute("aria-sort");
  const down = now === "ascending" ? true : now === "descending" ? false : numbers;
  headings.forEach((other) => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = (row) => {
    const cell = row.cells[column];
    return numbers ? Number(cell.dataset.v ?? -1) : cell.textContent;
  };
  const turn = down ? -1 : 1;
  const compare = (a, b) => {
    if (!numbers) return turn * value(a).localeCompare(value(b), undefined, { numeric: true });
    const [one, other] = [value(a), value(b)];
    return (one < 0) - (other < 0) || turn * (one - other); // what was not measured comes last in either order
  };
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compare));
}

// The heat map tells below itself what the cell pointed at means: a touch screen shows no tooltips.
function readable(heat) {
  const told = heat.querySelector(".readout");
  const tell = (event) => {
    const title = event.target.closest(".cell, .name")?.querySelector("title");
    if (title) told.textContent = title.textContent;
  };
  heat.addEventListener("pointerover", tell);
  heat.addEventListener("click", tell);
}

// The navigation marks the section in sight.
function follow(nav) {
  const links = new Map([...nav.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const places = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const mark = () => {
    const last = places.findLast((place) => place.getBoundingClientRect().top < 120) ?? places[0];
    links.forEach((link, id) => id === last?.id
      ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
}

document.querySelectorAll("table.sortable").forEach(sortable);
document.querySelectorAll(".heat").forEach(readable);
document.querySelectorAll("nav").forEach(follow);

"use strict";
// All pages work without this. It adds: "/" for the search, scrolling through all results, scrubbing, finding at once.

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector("[data-key='/']");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("[data-submit]")) {
    event.target.form.requestSubmit();
  }
});

const filters = document.querySelector(".filters");
if (filters && window.matchMedia("(max-width: 760px)").matches) filters.open = false;

// ---- all results in one list: cards that are in view, a window on the others

const grid = document.querySelector(".grid[data-cards]");
if (grid && Number(grid.dataset.total) > grid.children.length) scrollThrough(grid);

function scrollThrough(list) {
  const total = Number(list.dataset.total), size = Number(list.dataset.size), first = Number(list.dataset.page);
  const kept = 16, around = 2;
  const pages = new Map([[first, [...list.children]]]);
  const wanted = new Set();
  const frame = document.createElement("div");
  list.before(frame);
  frame.append(list);
  document.querySelector(".pages").hidden = true;
  let timer = 0, shown = "";

  function measure() {
    const style = getComputedStyle(list);
    const columns = style.gridTemplateColumns.split(" ").length;
    const card = list.querySelector(".card");
    return { columns, height: card.offsetHeight + parseFloat(style.rowGap) };
  }
  function empty(number) {
    const card = document.createElement("li");
    card.className = "card empty";
    card.dataset.place = number;
    return card;
  }
  function show() {
    const { columns, height } = measure();
    frame.style.height = `${Math.ceil(total / columns) * height}px`;
    const top = Math.max(0, -frame.getBoundingClientRect().top);
    const from = Math.max(0, Math.floor(top / height) - around) * columns;
    const to = Math.min(total, (Math.ceil((top + innerHeight) / height) + around) * columns);
    const key = `${from} ${to} ${[...pages.keys()]}`;
    if (key === shown) return;
    shown = key;
    const cards = [];
    for (let place = from; place < to; place++) {
      const number = Math.floor(place / size) + 1;
      const page = pages.get(number);
      if (page) { pages.delete(number); pages.set(number, page); } else wanted.add(number);
      cards.push((page && page[place % size]) || empty(place));
    }
    const staying = new Set(cards);
    for (const card of [...list.children]) if (!staying.has(card)) card.remove();
    let next = list.firstChild;
    for (const card of cards) {
      if (card === next) next = next.nextSibling; else list.insertBefore(card, next);
    }
    list.style.transform = `translateY(${(from / columns) * height}px)`;
    if (wanted.size) { clearTimeout(timer); timer = setTimeout(load, 120); }
  }
  async function load() {
    const numbers = [...wanted];
    wanted.clear();
    await Promise.all(numbers.map(async (number) => {
      if (pages.has(number)) return;
      const url = new URL(list.dataset.cards, location);
      url.searchParams.set("page", number);
      const answer = await fetch(url).catch(() => null);
      if (!answer || !answer.ok) return;
      const parsed = new DOMParser().parseFromString(`<ol>${await answer.text()}</ol>`, "text/html");
      pages.set(number, [...parsed.querySelectorAll("li.card")].map((card) => document.adoptNode(card)));
      while (pages.size > kept) pages.delete(pages.keys().next().value);
    }));
    show();
  }
  addEventListener("scroll", () => requestAnimationFrame(show), { passive: true });
  addEventListener("resize", () => requestAnimationFrame(show));
  if (first > 1) {
    const { columns, height } = measure();
    frame.style.height = `${Math.ceil(total / columns) * height}px`;
    scrollTo(0, frame.getBoundingClientRect().top + scrollY + Math.floor(((first - 1) * size) / columns) * height);
  }
  show();
}

// ---- arrow keys walk over cards

if (grid) {
  grid.addEventListener("keydown", (event) => {
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const card = event.target.closest(".card");
    if (!step || !card || !event.target.matches(".name")) return;
    const cards = [...grid.children];
    const next = cards[cards.indexOf(card) + step];
    const link = next && next.querySelector(".name");
    if (link) { event.preventDefault(); link.focus(); }
  });
}

// ---- the strip of a series

const strip = document.querySelector(".strip");
if (strip) scrub(strip);

function scrub(list) {
  const links = [...list.querySelectorAll("a")];
  const view = document.getElementById("view"), place = document.getElementById("place");
  const open = document.getElementById("open"), range = document.getElementById("scrub");
  const total = place.textContent.split(" of ")[1];
  const start = links.findIndex((link) => link.hasAttribute("aria-current"));
  const original = [...view.childNodes];
  let at = start;
  range.hidden = false;
  range.value = at + 1;

  function show(number) {
    at = Math.max(0, Math.min(links.length - 1, number));
    const link = links[at];
    for (const other of links) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    const left = link.parentElement.offsetLeft - list.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
    list.scrollTo({ left });
    place.textContent = `${link.dataset.place} of ${total}`;
    range.value = at + 1;
    open.href = link.href;
    open.hidden = at === start;
    if (at === start) { view.replaceChildren(...original); return; }
    const isShown = link.dataset.image && link.dataset.covered !== "yes";
    const node = document.createElement(isShown ? "img" : "span");
    if (isShown) { node.src = link.dataset.image; node.alt = link.getAttribute("aria-label"); } else {
      node.className = "none";
      node.textContent = link.dataset.image ? "Covered: open this file to see it" : "no image";
    }
    view.replaceChildren(node);
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select, .scroll, .tree") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -links.length, End: links.length }[event.key];
    if (step === undefined || ((event.key === "PageDown" || event.key === "PageUp" || event.key === "Home" || event.key === "End") && !list.contains(event.target))) return;
    event.preventDefault();
    show(at + step);
  });
  range.addEventListener("input", () => show(Number(range.value) - 1));
  const first = links[start].parentElement;
  list.scrollTo({ left: first.offsetLeft - list.offsetLeft - (list.clientWidth - first.offsetWidth) / 2 });
}

// ---- finding in the header

const find = document.getElementById("find");
const tree = document.querySelector(".tree");
if (find && tree && !find.value) {
  const items = [...tree.querySelectorAll("li")];
  const texts = new Map(items.map((item) => {
    const text = item.firstElementChild.matches("details") ? item.querySelector("summary").textContent : item.textContent;
    return [item, `${text} ${text.replace(/[(),]/g, "")}`.toLowerCase()];
  }));
  find.form.addEventListener("submit", (event) => event.preventDefault());
  find.addEventListener("input", () => {
    const word = find.value.trim().toLowerCase();
    const shown = new Set();
    for (const item of items) {
      if (!texts.get(item).includes(word)) continue;
      for (let up = item; up && up !== tree; up = up.parentElement) shown.add(up);
      for (const below of item.querySelectorAll("li")) shown.add(below);
    }
    for (const item of items) item.hidden = !shown.has(item);
  });
}

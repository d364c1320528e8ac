// Keyboard shortcuts: an element with data-key="x" is chosen (a radio) or pressed (a button) by x.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox])");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  target.focus();
  target.click();
});

// A video that was played from its beginning to its end, all of it, is said to be seen.
document.addEventListener("ended", ({ target: video }) => {
  const form = video.closest(".strand")?.querySelector(".played");
  let seconds = 0;
  for (let i = 0; i < video.played.length; i++) seconds += video.played.end(i) - video.played.start(i);
  if (form && seconds > video.duration - 0.5) htmx.trigger(form, "played");
}, true);

// One film at a time: what plays beside another is not watched.
document.addEventListener("play", ({ target: video }) => {
  for (const other of document.querySelectorAll("video")) if (other !== video) other.pause();
}, true);

// On a phone each row of a table is a card. Each cell then shows its column's heading beside it. The
// roles say to a screen reader that it is still a table.
const ROLES = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
const label = (table) => {
  const headings = [...table.querySelectorAll("thead th")].map((heading) => heading.textContent.trim());
  if (!headings.length) return;
  for (const part of [table, ...table.querySelectorAll("thead, tbody, tr, td")]) part.role = ROLES[part.tagName];
  for (const heading of table.querySelectorAll("th")) heading.role = heading.closest("thead") ? "columnheader" : "rowheader";
  for (const row of table.tBodies[0]?.rows ?? []) {
    if (row.cells.length !== headings.length) continue;
    [...row.cells].forEach((cell, at) => {
      if (headings[at]) cell.dataset.label = headings[at];
      cell.classList.toggle("blank", !cell.textContent.trim() && !cell.children.length);
    });
  }
  table.classList.add("labelled");
};
const labelAll = () => document.querySelectorAll("table:not(.labelled)").forEach(label);
document.addEventListener("DOMContentLoaded", labelAll);
document.addEventListener("htmx:afterSettle", labelAll);

"use strict";
(() => {
  const value = (row, head) => row.cells[head.cellIndex].dataset.value;
  const number = (text) => (text === "" ? -Infinity : Number(text));
  const order = {
    number: (a, b) => number(a) - number(b) || 0,
    text: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  };
  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const head = button.closest("th"), body = head.closest("table").tBodies[0];
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentElement.cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const compare = order[head.dataset.kind];
      const rows = [...body.rows].sort((a, b) => (down ? -1 : 1) * compare(value(a, head), value(b, head)));
      body.append(...rows);
    });
  }
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  window.addEventListener("hashchange", open);
  window.addEventListener("beforeprint", () => { for (const each of document.querySelectorAll("details")) each.open = true; });
  open();
})();

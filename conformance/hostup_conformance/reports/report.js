// Filters, copying and printing. The page is complete without it: what needs it is hidden until it runs.
"use strict";
(() => {
  const form = document.getElementById("filters");
  const rows = [...document.querySelectorAll("li.requirement")];
  const areas = [...document.querySelectorAll("details.area[data-area]")];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const shown = document.getElementById("shown");
  const unfold = document.getElementById("unfold");
  let wasFiltered = false;

  function apply() {
    const chosen = new FormData(form);
    const statuses = chosen.getAll("status");
    const area = chosen.get("area");
    const words = chosen.get("q").toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      row.hidden = !(
        (statuses.length === 0 || statuses.includes(row.dataset.status)) &&
        (area === "" || area === row.dataset.area) &&
        words.every((word) => texts.get(row).includes(word))
      );
    }
    const filtered = statuses.length > 0 || area !== "" || words.length > 0;
    for (const group of areas) {
      const some = group.querySelector("li.requirement:not([hidden])") !== null;
      group.hidden = !some;
      if (filtered !== wasFiltered) group.open = filtered || "urgent" in group.dataset;
    }
    wasFiltered = filtered;
    const count = rows.filter((row) => !row.hidden).length;
    shown.value = `${count} of ${rows.length} shown`;
    document.getElementById("nothing").hidden = count > 0;
  }

  // The filters live in the address, so that a view can be sent to somebody.
  function remember() {
    const chosen = [...new FormData(form)].filter(([, value]) => value !== "");
    history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
  }

  function clear() {
    for (const box of form.querySelectorAll("input[name=status]")) box.checked = false;
    form.elements.area.value = "";
    form.elements.q.value = "";
  }

  function reveal(element) {
    for (let part = element.parentElement; part; part = part.parentElement) if (part.localName === "details") part.open = true;
    element.scrollIntoView();
  }

  // `#status=fail&area=POLL&q=exited` sets the filters; `#POLL-01` opens that requirement; `#request-37` shows that one.
  function follow() {
    const hash = location.hash.slice(1);
    const row = rows.find((candidate) => candidate.id === hash);
    if (row) {
      if (row.hidden) clear();
      apply();
      row.querySelector("details").open = true;
      reveal(row);
      row.querySelector("summary").focus({ preventScroll: true });
    } else if (hash.includes("=")) {
      clear();
      const wanted = new URLSearchParams(hash);
      const statuses = wanted.getAll("status");
      for (const box of form.querySelectorAll("input[name=status]")) box.checked = statuses.includes(box.value);
      form.elements.area.value = wanted.get("area") ?? "";
      if (form.elements.area.selectedIndex < 0) form.elements.area.value = "";
      form.elements.q.value = wanted.get("q") ?? "";
      apply();
      document.getElementById("requirements").scrollIntoView();
    } else {
      apply();
      const element = hash.startsWith("request-") && document.getElementById(hash);
      if (element) reveal(element);
    }
  }

  async function copy(button) {
    const code = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.firstChild.data = "Copied";
    } catch {
      // Where the browser gives no clipboard, the text is selected and the keys do the rest.
      getSelection().selectAllChildren(code);
      button.firstChild.data = "Selected";
    }
    setTimeout(() => (button.firstChild.data = "Copy"), 2000);
  }

  function setAll(open) {
    for (const group of areas) group.open = open || "urgent" in group.dataset;
    for (const row of rows) if (!row.hidden) row.querySelector("details").open = open;
    unfold.textContent = open ? "Close all" : "Open all";
  }

  form.hidden = false;
  form.addEventListener("input", () => { apply(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => { event.preventDefault(); clear(); apply(); remember(); });
  unfold.addEventListener("click", () => setAll(unfold.textContent === "Open all"));
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
  addEventListener("hashchange", follow);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.matches("input, select")) {
      event.preventDefault();
      form.elements.q.focus();
    }
  });

  // Paper has nothing to click: what has evidence is opened, and what merely passes stays a line.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details.more:not([open]), details:not([open]):has(> .inside .evidence)")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });
  follow();
})();

"use strict";
// Suggestions while searching, dropped pictures, SPARQL results; pages work without any of it.
const byId = (id) => document.getElementById(id);

const box = byId("q");
let asked = 0;
box.addEventListener("input", async () => {
  const turn = ++asked;
  const text = box.value.trim();
  if (text.length < 2) return;
  const answer = await fetch("/api/search?limit=8&q=" + encodeURIComponent(text));
  if (!answer.ok || turn !== asked) return;
  byId("suggestions").replaceChildren(...(await answer.json()).map((concept) => {
    const option = document.createElement("option");
    option.value = concept.split("/").slice(3).join(" ").replaceAll("_", " ") || concept;
    return option;
  }));
});

const drop = byId("drop");
if (drop) {
  const input = byId("image");
  const preview = byId("preview");
  const show = () => {
    const file = input.files[0];
    preview.hidden = !file;
    if (!file) return;
    preview.src = URL.createObjectURL(file);
    for (const scene of document.getElementsByName("scene")) scene.checked = false;
  };
  input.addEventListener("change", show);
  for (const scene of document.getElementsByName("scene")) {
    scene.addEventListener("change", () => { input.value = ""; show(); });
  }
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) { input.files = event.dataTransfer.files; show(); }
    });
  }
}

const sparql = byId("sparql");
if (sparql) {
  sparql.addEventListener("submit", async (event) => {
    event.preventDefault();
    const results = byId("results");
    results.textContent = "Running…";
    const answer = await fetch("/sparql/", {
      method: "POST",
      headers: { "content-type": "application/sparql-query", accept: "application/sparql-results+json, text/turtle" },
      body: byId("query").value,
    });
    const text = await answer.text();
    if (!answer.ok || !(answer.headers.get("content-type") || "").includes("json")) {
      const block = document.createElement("pre");
      block.textContent = text;
      results.replaceChildren(block);
      return;
    }
    const found = JSON.parse(text);
    if ("boolean" in found) { results.textContent = String(found.boolean); return; }
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const name of found.head.vars) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = name;
      head.append(cell);
    }
    const body = table.createTBody();
    for (const row of found.results.bindings) {
      const line = body.insertRow();
      for (const name of found.head.vars) line.insertCell().textContent = row[name] ? row[name].value : "";
    }
    table.createCaption().textContent = found.results.bindings.length + " rows";
    results.replaceChildren(table);
  });
}

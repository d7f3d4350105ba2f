// The page of one trace: what is pointed at lights up everywhere, columns sort, facts switch off, the graph pans.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const factsOf = new Map();
  data.facts.forEach((f) => f.objects.forEach((o) => factsOf.set(o, [...(factsOf.get(o) || []), f.id])));

  // --- what belongs together lights up ---------------------------------------------------------
  let cy = null;
  function light(objects, facts) {
    const o = new Set(objects), f = new Set(facts);
    all("[data-id]").forEach((e) => e.classList.toggle("lit", o.has(e.dataset.id)));
    all("[data-fact]").forEach((e) => e.classList.toggle("lit", f.has(Number(e.dataset.fact))));
    if (cy) cy.batch(() => {
      cy.edges().forEach((e) => { e.toggleClass("lit", f.has(e.data("fact"))); });
      cy.nodes().forEach((n) => { n.toggleClass("lit", n.data("objects").some((x) => o.has(x))); });
    });
  }
  const byFact = (id) => light(data.facts[id].objects, [id]);
  const byObject = (id) => light([id], factsOf.get(id) || []);
  const pinned = () => one("[data-id][aria-pressed=true]")?.dataset.id;
  const rest = () => { const id = pinned(); if (id === undefined) light([], []); else byObject(id); };
  function points(element, show) {
    ["mouseenter", "focusin"].forEach((event) => element.addEventListener(event, show));
    ["mouseleave", "focusout"].forEach((event) => element.addEventListener(event, rest));
  }
  all("[data-fact]").forEach((e) => points(e, () => byFact(Number(e.dataset.fact))));
  all("[data-id]").forEach((e) => {
    points(e, () => byObject(e.dataset.id));
    e.addEventListener("click", () => {
      const id = pinned() === e.dataset.id ? undefined : e.dataset.id;
      all("[data-id]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.id === id)));
      rest();
      keep();
    });
  });

  // --- memory: filter and sort -----------------------------------------------------------------
  const filter = one("#filter"), rows = all("#facts tbody tr");
  function keep() {
    const words = filter ? filter.value.toLowerCase() : "", id = pinned();
    const about = id === undefined ? null : new Set(factsOf.get(id) || []);
    let kept = 0;
    rows.forEach((row) => {
      const stays = row.textContent.toLowerCase().includes(words) && (!about || about.has(Number(row.dataset.fact)));
      row.hidden = !stays;
      kept += stays;
    });
    if (one("#kept")) one("#kept").textContent = kept === rows.length ? "" : `${kept} of ${rows.length} facts`;
  }
  filter?.addEventListener("input", keep);
  all("#facts thead button").forEach((button) => button.addEventListener("click", () => {
    const head = button.closest("th"), at = head.cellIndex, number = button.dataset.sort === "number";
    const first = number ? "descending" : "ascending", other = number ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    all("#facts th[aria-sort]").forEach((th) => th.setAttribute("aria-sort", th === head ? order : "none"));
    const value = (row) => number ? Number(row.cells[at].dataset.value) : row.cells[at].textContent;
    const compare = (a, b) => number ? value(a) - value(b) : value(a).localeCompare(value(b));
    rows.sort((a, b) => (order === "ascending" ? compare(a, b) : compare(b, a)));
    one("#facts tbody").append(...rows);
  }));

  // --- a switch a fact: the answer without it ---------------------------------------------------
  const off = new Set();
  function tell() {
    const outcome = one("#outcome"), found = data.outcomes[[...off].sort((a, b) => a - b).join(",")];
    if (!off.size) outcome.textContent = "";
    else if (!found) outcome.textContent = "Without these facts together: not computed ahead; trace.without(…) tells.";
    else {
      const facts = off.size === 1 ? "this fact" : `these ${off.size} facts`;
      const same = found.same ? " (the same answer)" : "";
      outcome.textContent = `Without ${facts}: ${found.answer}, score ${found.score.toFixed(2)}${same}`;
    }
    all("[data-fact]").forEach((e) => e.classList.toggle("off", off.has(Number(e.dataset.fact))));
    if (cy) cy.edges().forEach((e) => { e.toggleClass("off", off.has(e.data("fact"))); });
  }
  all("[data-switch]").forEach((input) => input.addEventListener("change", () => {
    const id = Number(input.dataset.switch);
    if (input.checked) off.delete(id); else off.add(id);
    all(`[data-switch="${id}"]`).forEach((twin) => { twin.checked = input.checked; });
    tell();
  }));

  // --- what a network looked at, drawn on the picture --------------------------------------------
  const looked = one(".looked"), faint = (weight) => Math.max(0.08, Math.min(1, weight));
  function draws(element, make) {
    if (!looked) return;
    points(element, () => looked.replaceChildren(...make()));
    ["mouseleave", "focusout"].forEach((event) => element.addEventListener(event, () => looked.replaceChildren()));
  }
  all("[data-step]").forEach((e) => draws(e, () => data.program[e.dataset.step].looked.map(({ style, weight }) => {
    const box = document.createElement("i");
    box.style.cssText = style;
    box.style.opacity = faint(weight);
    return box;
  })));
  const svg = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
  };
  all("[data-edges]").forEach((e) => draws(e, () => {
    const picture = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none" });
    picture.append(...data.learned[e.dataset.edges].lines.map((line) => svg("line", {
      x1: line.from[0], y1: line.from[1], x2: line.to[0], y2: line.to[1], "stroke-opacity": faint(line.weight) })));
    return [picture];
  }));

  // --- the drawing -----------------------------------------------------------------------------
  const drawing = one("#drawing");
  const colour = (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const kinds = { seen: "#1c8f46", asked: "#2f6fd0", other: "#8a939c" };
  const look = () => [
    { selector: "node", style: { label: "data(label)", "background-color": (n) => kinds[n.data("kind")], color: colour("--ink"),
      "font-size": 11, width: 14, height: 14, "text-valign": "top", "text-max-width": 130, "text-wrap": "ellipsis",
      "text-background-color": colour("--card"), "text-background-opacity": 0.8, "min-zoomed-font-size": 7 } },
    { selector: "node[?core]", style: { width: 20, height: 20, "font-size": 14, "font-weight": "bold", "z-index": 9 } },
    { selector: "edge", style: { width: 1, "line-color": colour("--quiet"), "target-arrow-color": colour("--quiet"), opacity: 0.55, "target-arrow-shape": "triangle",
      "arrow-scale": 0.7, "curve-style": "bezier" } },
    { selector: "edge[?cited]", style: { width: 4, opacity: 1, "line-color": colour("--accent"), "target-arrow-color": colour("--accent"), label: "data(label)",
      "font-size": 11, color: colour("--ink"), "text-background-color": colour("--card"), "text-background-opacity": 0.9, "text-rotation": "autorotate", "z-index": 8 } },
    { selector: ".lit", style: { "line-color": "#e0a800", "target-arrow-color": "#e0a800", "border-width": 4, "border-color": "#e0a800" } },
    { selector: ".off", style: { "line-style": "dashed", "line-color": "#c33", "target-arrow-color": "#c33" } },
    { selector: ".away", style: { display: "none" } },
  ];
  if (drawing && window.cytoscape) {
    cy = window.cytoscape({
      container: drawing, layout: { name: "preset" }, style: look(), minZoom: 0.15, maxZoom: 4,
      elements: {
        nodes: data.graph.nodes.map(({ x, y, ...node }) => ({ data: node, position: { x, y } })),
        edges: data.graph.edges.map((edge) => ({ data: edge })),
      },
    });
    const shown = () => cy.elements().not(".away");
    const fit = () => cy.fit(shown(), 30);
    fit();
    cy.on("tap mouseover", "edge", (event) => {
      byFact(event.target.data("fact"));
      one("#said").textContent = data.facts[event.target.data("fact")].said;
    });
    cy.on("tap mouseover", "node", (event) => {
      const edges = event.target.connectedEdges();
      light(event.target.data("objects"), edges.map((e) => e.data("fact")));
      one("#said").textContent = `${event.target.data("label")} (${event.target.data("term")}), ${edges.length} facts drawn`;
    });
    cy.on("mouseout", "edge, node", rest);
    const zoom = (by) => cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: drawing.clientWidth / 2, y: drawing.clientHeight / 2 } });
    const actions = {
      in: () => zoom(1.3), out: () => zoom(1 / 1.3), fit,
      cited: (button) => {
        const only = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(only));
        cy.edges("[!cited]").toggleClass("away", only);
        cy.nodes("[!core]").toggleClass("away", only);
        fit();
      },
    };
    all("[data-graph]").forEach((b) => b.addEventListener("click", () => actions[b.dataset.graph](b)));
    const keys = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    drawing.addEventListener("keydown", (event) => {
      if (keys[event.key]) cy.panBy({ x: keys[event.key][0], y: keys[event.key][1] });
      else if (event.key === "+" || event.key === "=") zoom(1.3);
      else if (event.key === "-") zoom(1 / 1.3);
      else if (event.key === "0") fit();
      else return;
      event.preventDefault();
    });
    window.addEventListener("resize", () => cy.resize());
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cy.style(look()));
    window.kgmmDrawing = cy;
  }

  // --- light and dark, print --------------------------------------------------------------------
  one("#theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    if (cy) cy.style(look());
  });
  window.addEventListener("beforeprint", () => all("details").forEach((d) => { d.open = true; }));
})();

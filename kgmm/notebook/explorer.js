// The explorer's script: draws what the kernel sends, asks it for more; anywidget calls render.
const KINDS = { concept: "#2f6fd0", scene: "#1c8f46", literal: "#8a939c" };
const STYLE = [
  { selector: "node", style: { label: "data(label)", "background-color": (n) => KINDS[n.data("kind")], "font-size": 11, width: 16, height: 16,
    "text-valign": "top", color: "#1b1f24", "text-background-color": "#fff", "text-background-opacity": 0.75, "min-zoomed-font-size": 6 } },
  { selector: "node.selected", style: { "border-width": 4, "border-color": "#e0a800", "font-weight": "bold", "font-size": 14 } },
  { selector: "edge", style: { width: 1.5, "line-color": "#9aa5b1", "target-arrow-color": "#9aa5b1", "target-arrow-shape": "triangle", "curve-style": "bezier",
    "arrow-scale": 0.8, label: "data(label)", "font-size": 9, color: "#4f5963", "text-rotation": "autorotate", "text-background-color": "#fff",
    "text-background-opacity": 0.75, "min-zoomed-font-size": 8 } },
  { selector: ".away", style: { display: "none" } },
];

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

function render({ model, el }) {
  const find = element("input", { type: "search", placeholder: "a concept", "aria-label": "Concept to add" });
  const add = element("button", { type: "button" }, "add");
  const expand = element("button", { type: "button" }, "expand");
  const follow = element("select", { "aria-label": "Follow a relation" });
  const walk = element("button", { type: "button" }, "walk from here");
  const remove = element("button", { type: "button" }, "remove");
  const fit = element("button", { type: "button" }, "fit");
  const filter = element("input", { type: "search", placeholder: "filter", "aria-label": "Show only facts with these words" });
  const drawing = element("div", { class: "drawing", tabindex: "0", role: "application", "aria-label": "Graph; the same facts are listed below" });
  const message = element("p", { class: "message", "aria-live": "polite" });
  const facts = element("ul", { "aria-label": "Facts shown" }), scores = element("ul", { "aria-label": "Best of the last walk" });
  const root = element("div", { class: "kgmm-explorer" }, element("div", { class: "bar" }, find, add, expand, follow, walk, remove, fit, filter),
    drawing, message, element("div", { class: "lists" }, facts, scores));
  el.append(root);

  let cy = null; // made when the widget has a size: notebooks render it before it is on the page
  const chosen = () => model.get("selected");
  const send = (what) => model.send(what);
  const select = (concept) => { model.set("selected", concept); model.save_changes(); };

  function place(fresh) {
    fresh.forEach((node, i) => {
      const near = node.neighborhood("node").difference(cy.collection(fresh));
      const at = near.nonempty() ? near[0].position() : { x: 0, y: 0 }, angle = 2.4 * i;
      node.position({ x: at.x + 90 * Math.cos(angle), y: at.y + 90 * Math.sin(angle) });
    });
    if (cy.nodes().length <= 200) // more than that it lays out too slowly: new nodes stay beside their neighbours
      cy.layout({ name: "cose", animate: false, randomize: false, nodeDimensionsIncludeLabels: true, idealEdgeLength: () => 80, numIter: 400 }).run();
    cy.fit(cy.elements().not(".away"), 20);
  }

  function draw() {
    if (!cy) return;
    const nodes = new Map(model.get("nodes").map((n) => [n.id, n])), edges = new Map(model.get("edges").map((e) => [e.id, e]));
    const fresh = [];
    cy.batch(() => {
      cy.edges().forEach((e) => { if (!edges.has(e.id())) e.remove(); });
      cy.nodes().forEach((n) => { if (!nodes.has(n.id())) n.remove(); });
      nodes.forEach((n) => { if (cy.getElementById(n.id).empty()) fresh.push(cy.add({ group: "nodes", data: { ...n } })[0]); });
      edges.forEach((e) => {
        if (cy.getElementById(e.id).empty() && nodes.has(e.source) && nodes.has(e.target)) cy.add({ group: "edges", data: { ...e } });
      });
    });
    if (fresh.length) place(fresh);
    list();
    mark();
  }

  function list() {
    const words = filter.value.toLowerCase();
    const kept = model.get("edges").filter((e) => e.said.toLowerCase().includes(words));
    const ids = new Set(kept.map((e) => e.id)), ends = new Set(kept.flatMap((e) => [e.source, e.target]));
    if (cy) cy.batch(() => {
      cy.edges().forEach((e) => { e.toggleClass("away", !ids.has(e.id())); });
      cy.nodes().forEach((n) => { n.toggleClass("away", words !== "" && !ends.has(n.id())); });
    });
    facts.replaceChildren(...kept.map((e) => {
      const other = e.source === chosen() ? e.target : e.source;
      const button = element("button", { type: "button" }, element("bdi", {}, e.said));
      button.addEventListener("click", () => select(other));
      return element("li", {}, button);
    }));
  }

  function mark() {
    if (cy) cy.nodes().removeClass("selected");
    if (cy && chosen()) cy.getElementById(chosen()).addClass("selected");
    [expand, walk, remove, follow].forEach((b) => { b.disabled = !chosen(); });
    const options = model.get("relations").map((r, i) => element("option", { value: String(i) }, `${r.outgoing ? "" : "← "}${r.label}${r.outgoing ? " →" : ""} (${r.count})`));
    follow.replaceChildren(element("option", { value: "" }, "follow …"), ...options);
  }

  function rank() {
    const most = Math.max(...model.get("scores").map((s) => s.score), 1e-12);
    scores.replaceChildren(...model.get("scores").map((s) => {
      const bar = element("span", { class: "score", "aria-hidden": "true" });
      bar.style.width = `${(60 * s.score) / most}px`;
      const button = element("button", { type: "button" }, element("bdi", {}, `${s.label} ${s.score.toFixed(4)}`));
      button.addEventListener("click", () => select(s.concept));
      return element("li", {}, bar, button);
    }));
  }

  const say = () => { message.textContent = model.get("message"); };
  const start = () => { if (find.value.trim()) send({ do: "expand", concept: find.value }); };
  add.addEventListener("click", start);
  find.addEventListener("keydown", (event) => { if (event.key === "Enter") start(); });
  expand.addEventListener("click", () => send({ do: "expand", concept: chosen() }));
  walk.addEventListener("click", () => send({ do: "walk", concept: chosen() }));
  remove.addEventListener("click", () => send({ do: "remove", concept: chosen() }));
  fit.addEventListener("click", () => cy?.fit(cy.elements().not(".away"), 20));
  filter.addEventListener("input", list);
  follow.addEventListener("change", () => {
    const r = model.get("relations")[Number(follow.value)];
    if (follow.value !== "" && r) send({ do: "follow", concept: chosen(), relation: r.relation, outgoing: r.outgoing });
  });
  const watched = { "change:nodes": draw, "change:edges": draw, "change:selected": () => { mark(); list(); }, "change:relations": mark, "change:scores": rank, "change:message": say };
  Object.entries(watched).forEach(([event, react]) => model.on(event, react));
  function begin() {
    cy = cytoscape({ container: drawing, style: STYLE, minZoom: 0.1, maxZoom: 4 });
    cy.on("tap", "node", (event) => select(event.target.id()));
    cy.on("dbltap", "node", (event) => send({ do: "expand", concept: event.target.id() }));
    root.kgmmDrawing = cy;
    draw();
  }
  const resized = new ResizeObserver(() => {
    if (cy) cy.resize();
    else if (drawing.clientWidth > 0 && drawing.clientHeight > 0) begin();
  });
  resized.observe(drawing);
  list();
  mark();
  rank();
  say();
  return () => {
    resized.disconnect();
    Object.entries(watched).forEach(([event, react]) => model.off(event, react));
    cy?.destroy();
  };
}

export default { render };

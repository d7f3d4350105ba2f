# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Explore a trace
#
# An answer comes with a trace: what was seen, which words and objects were linked to which concepts, every fact that
# was considered, each step, and the facts that carry the answer. All of it can be looked up again, taken away, compared,
# queried and drawn.

# %%
import tempfile
from pathlib import Path

import kgmm
from kgmm import bundled
from kgmm.opening import open_bundled

folder = Path(tempfile.mkdtemp())
kb = open_bundled(folder / "kb")
scene = kgmm.SceneGraph.from_json(bundled.folder("graphs") / "scenes/cat.json")
answer = kb.ask(scene, "Can the animal in this picture fly?")
answer

# %% [markdown]
# ## Is it true?
# Every citation is looked up again, at the version of the store that was asked.

# %%
trace = answer.trace
for check in trace.verify(kb):
    print("✓" if check.passed else "✗", check.text)

# %% [markdown]
# ## Does the answer rest on it?
# `without` computes the answer again as if a fact did not exist. A set of citations is necessary if the answer falls
# without it, sufficient if it stays when every other fact considered is gone.

# %%
from kgmm.trace.checks import necessary, sufficient

for c in trace.citations:
    print(f"without {c.fact.subject} {c.fact.predicate} {c.fact.object}: {trace.without(c)}")
necessary(trace), sufficient(trace)

# %% [markdown]
# ## A page to show to others
# One file that needs no network: boxes light up with the facts that use them, the memory sorts by any part of the score,
# every fact has a switch. (`kgmm ask … --trace page.html` writes the same.)

# %%
page = trace.to_html(folder / "trace.html")
f"{page.stat().st_size / 1e6:.2f} MB"

# %% [markdown]
# ## Data
# JSON with a published schema, networkx, and RDF in PROV-O that a query joins with the store.

# %%
again = kgmm.Trace.from_json(trace.to_json(folder / "trace.json"))
again == trace, sorted(again.to_networkx().nodes)

# %%
import rdflib

data = rdflib.Dataset(default_union=True)
for triple in trace.to_rdf():
    data.add(triple)
for quad in kb.find("cat").to_rdf().quads():
    data.add(quad)
[
    (str(row.fact).rsplit("/", 2)[-1], str(row.graph))
    for row in data.query("""
        PREFIX prov: <http://www.w3.org/ns/prov#>
        PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
        SELECT ?fact ?graph WHERE {
          ?answer prov:wasDerivedFrom ?c . ?c rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?fact .
          GRAPH ?graph { ?s ?p ?fact }
        }""")
]

# %% [markdown]
# ## What changed, and why
# Two versions of a store, the same question.

# %%
with kgmm.open(folder / "small") as small:
    small.add([kgmm.Fact("cat", "NotCapableOf", "fly"), kgmm.Fact("cat", "IsA", "animal")])
    then = small.ask(scene, "Can the animal in this picture fly?").trace
    small.remove("cat", "NotCapableOf", "fly")
    now = small.ask(scene, "Can the animal in this picture fly?").trace
print(then.diff(now))

# %% [markdown]
# ## Look around in the graph
# Click a node to select it; expand it, follow one of its relations, walk from it, filter. The buttons have methods of
# the same names.

# %%
from kgmm.notebook import explore

explorer = explore(kb, "cat", limit=12)
explorer

# %%
explorer.follow("cat", "CapableOf").walk("cat", k=5)
[(row["label"], row["score"]) for row in explorer.scores]

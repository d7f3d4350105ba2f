# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Ask a photograph
#
# A photograph becomes a scene graph; the question's words and the seen objects are linked to concepts; facts around
# them are retrieved; a reasoner answers and cites.

# %%
import tempfile
from pathlib import Path

from PIL import Image

import kgmm
from kgmm import bundled
from kgmm.opening import open_bundled

kb = open_bundled(Path(tempfile.mkdtemp()) / "kb")
graphs = bundled.folder("graphs")
Image.open(graphs / "photos/coffee.jpg")

# %% [markdown]
# What the default perceiver (EfficientNet-Lite0, 1,000 ImageNet classes) sees:

# %%
seen = kgmm.perceive(graphs / "photos/coffee.jpg")
[(o.name, round(o.score, 2), o.box) for o in seen.objects]

# %% [markdown]
# The scene graph a person wrote for the same photograph:

# %%
scene = kgmm.SceneGraph.from_json(graphs / "scenes/coffee.json")
[o.name for o in scene.objects], [(r.subject, r.predicate, r.object) for r in scene.relations]

# %%
answer = kb.ask(scene, "Which thing on the saucer is used for stirring?")
answer.text, [(c.fact.subject, c.fact.predicate, c.fact.object) for c in answer.trace.citations]

# %% [markdown]
# ## Take the evidence away
# `without` computes the answer again as if a fact did not exist.

# %%
knowledge = [c for c in answer.trace.citations if c.kind == "knowledge"]
[(c.fact.object, answer.trace.without(c).text) for c in knowledge]

# %% [markdown]
# ## What it does not know, it says

# %%
unknown = kb.ask(scene, "Who owns the cup?")
unknown.text, unknown.trace.abstained

# %% [markdown]
# ## Swap the knowledge
# The same question on another store follows that store.

# %%
other = kgmm.open(Path(tempfile.mkdtemp()) / "other")
other.add([kgmm.Fact("saucer", "UsedFor", "stirring"), kgmm.Fact("spoon", "UsedFor", "music")])
other.ask(scene, "Which object is used for stirring?").text

# %% [markdown]
# ## The memory
# Every fact that was considered, with the parts of its score.

# %%
kb.retrieve(scene, "What is the spoon used for?", limit=10)

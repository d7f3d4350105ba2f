# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Train a memory network on your own knowledge base
#
# A memory network answers from facts it retrieves, so what it must learn is *how to read a memory*, not the facts.
# Here a small store gives questions, a KDMN learns from them, and then the store changes: the answer changes with it.
# In the shell, all of this is `kgmm train kdmn my-kb --out my-kdmn` and `kgmm ask … --reasoner my-kdmn`.

# %%
import tempfile
from pathlib import Path

import kgmm
from kgmm.data.knowledge_questions import knowledge_questions
from kgmm.train.kdmn import FvqaProblem
from kgmm.evaluate.kdmn import answered_right
from kgmm.train.memories import spoiled
from kgmm.train.own_store import drawn_scenes, own_data
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.train.fit import Recipe, fit

uses = {
    "knife": "cutting bread",
    "hammer": "driving nails",
    "pen": "writing letters",
    "cup": "drinking coffee",
    "lamp": "lighting a room",
    "bed": "sleeping",
    "oven": "baking cakes",
    "broom": "sweeping floors",
    "umbrella": "keeping dry",
    "bicycle": "riding",
    "camera": "taking photographs",
    "piano": "playing music",
    "towel": "drying hands",
    "ladder": "climbing",
    "soap": "washing",
    "needle": "sewing",
}
work = Path(tempfile.mkdtemp())
kb = kgmm.open(work / "kb")
kb.add([Fact(f"/c/en/{s}", "UsedFor", kgmm.language.names.concept(o)) for s, o in uses.items()])

# %% [markdown]
# ## Questions from facts
#
# A fact one of whose ends is seen becomes a question; its answer is the seen thing or the fact's other end. Your own
# scenes do as well (`read_scenes(folder)`); without any, they are drawn from what the store knows something about.

# %%
scenes = drawn_scenes(kb, count=80, size=5)
for q in knowledge_questions(kb, scenes[:2], per_scene=2):
    print(f"{', '.join(o.name for o in q.scene.objects)}: {q.question}  {q.answer}  ({' / '.join(q.choices)})")

# %% [markdown]
# ## Training
#
# Every question's memory holds the facts about what is seen. A fifth of the scenes is held out. A run that is killed
# goes on where it stopped if it is given again; `metrics.jsonl` and TensorBoard's events hold its figures.

# %%
problem = FvqaProblem(work, data=own_data(kb, scenes, per_scene=4))
trained = fit(problem, work / "my-kdmn", Recipe(epochs=5, batch=32, rate=3e-3))
print({k: round(v, 3) for k, v in trained.figures.items()}, f"in {trained.seconds:.0f} s")
assert trained.figures["top1"] > 0.8

# %% [markdown]
# Is it the knowledge? The same network with another question's memory, and with an empty one:

# %%
for knowledge in ("full", "shuffled", "empty"):
    hits = answered_right(problem, spoiled(problem.held, knowledge))
    print(f"{knowledge:>8} memory: {sum(hits) / len(hits):.2f}")

# %% [markdown]
# ## Asking, and changing the store
#
# The trained folder is a reasoner like any other. Each episode's attention is a step of the trace.

# %%
scene = SceneGraph("bench", (SceneObject("a", "hammer"), SceneObject("b", "lamp"), SceneObject("c", "pen")))
question = "What is the hammer in this image used for?"
before = kb.ask(scene, question, reasoner=work / "my-kdmn")
print(before, "from", before.trace.citations[-1].fact)
for step in before.trace.steps:
    print(" ", step.text)

# %% [markdown]
# Now hammers are for slicing. Nothing is trained again; the answer follows the store.

# %%
kb.remove("hammer", "UsedFor", "/c/en/driving_nails")
kb.add([Fact("/c/en/hammer", "UsedFor", "/c/en/slicing")])
after = kb.ask(scene, question, reasoner=work / "my-kdmn")
print(after, "from", after.trace.citations[-1].fact)
assert before.text == "driving nails" and after.text == "slicing"

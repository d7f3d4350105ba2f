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
# Here a small store and made-up scenes give questions, a KDMN learns from them, and then the store changes.

# %%
import random
import tempfile
from pathlib import Path

import numpy as np
import torch

import kgmm
from kgmm.data.knowledge_questions import knowledge_questions
from kgmm.encode import text_encoder
from kgmm.nn.kdmn import KDMN
from kgmm.phrase import phrase
from kgmm.reason.fvqa_problem import pointer_loss, predict, ranked, word_table
from kgmm.reason.memory_input import END_FEATURES, FEATURES, MemoryInput, pack
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.words import normal

torch.manual_seed(0)
torch.set_num_threads(1)
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
kb = kgmm.open(Path(tempfile.mkdtemp()) / "kb")
kb.add([Fact(f"/c/en/{s}", "UsedFor", kgmm.names.concept(o)) for s, o in uses.items()])
rng = random.Random(0)
scenes = [
    SceneGraph(f"s{i}", tuple(SceneObject(f"o{j}", n) for j, n in enumerate(rng.sample(sorted(uses), 5))))
    for i in range(60)
]
questions = list(knowledge_questions(kb, scenes, per_scene=3, choices=4))
questions[0].question, questions[0].choices, questions[0].answer

# %% [markdown]
# Each question's memory: every fact about what is seen. Vectors come from the bundled sentence encoder.

# %%
encoder, words = text_encoder("minilm"), word_table(5_000)
vectors = {}


def vector(text):
    if text not in vectors:
        vectors[text] = encoder.encode([text])[0]
    return vectors[text]


def memory(question):
    seen = [o.name for o in question.scene.objects]
    facts = [f for name in seen for f in kb.find(name)]
    triples = [(kgmm.names.label(f.subject), f.predicate, kgmm.names.label(f.object)) for f in facts]
    q = vector(question.question)
    found = np.stack([vector(phrase(f.subject, f.predicate, f.object)) for f in facts])
    ends = np.array([[vector(s) @ q, vector(o) @ q] for s, _, o in triples], np.float32)
    return MemoryInput(question.question, seen, triples, q, found, ends)


def labels(question, m):
    right = [
        [normal(s) == normal(question.answer), normal(o) == normal(question.answer)] for s, _, o in m.triples
    ]
    return torch.tensor(right, dtype=torch.float32), torch.tensor(right).any(1).float()


memories = [memory(q) for q in questions]
batch = pack(memories, words)
answers, gold = map(torch.stack, zip(*(labels(q, m) for q, m in zip(questions, memories)), strict=True))
held = len(questions) * 3 // 4
batch.steps.shape

# %%
net = KDMN(words=words.dim, features=len(FEATURES), end_features=len(END_FEATURES), dim=32)
optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
part = lambda rows: type(batch)(*(v[rows] for v in batch.__dict__.values()))
for epoch in range(12):
    net.train()
    for rows in torch.randperm(held).split(32):
        optimizer.zero_grad()
        loss = pointer_loss(net, part(rows), answers[rows], gold[rows])
        loss.backward()
        optimizer.step()
net.eval()
logits = predict(net, part(slice(held, None)))
said = [
    ranked([normal(e) for s, _, o in m.triples for e in (s, o)], row)[0][0]
    for m, row in zip(memories[held:], logits)
]
accuracy = np.mean([s == normal(q.answer) for s, q in zip(said, questions[held:])])
print(f"loss {loss.item():.2f}, held-out accuracy {accuracy:.2f}")
assert accuracy > 0.8

# %% [markdown]
# Now hammers are for slicing. Nothing is trained again; the answer follows the store.

# %%
kb.remove("hammer", "UsedFor", "/c/en/driving_nails")
kb.add([Fact("/c/en/hammer", "UsedFor", "/c/en/slicing")])
scene = SceneGraph("bench", (SceneObject("a", "hammer"), SceneObject("b", "lamp")))
answer = kb.ask(scene, "What is the hammer in this image used for?", reasoner="kdmn")
print(answer, "—", answer.trace.citations[0].fact if answer else answer.trace.abstained)
for step in answer.trace.steps:
    print(step.name, "·", step.text)

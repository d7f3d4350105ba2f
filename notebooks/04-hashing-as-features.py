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
# # Hash codes as node features
#
# A graph network reads a vector for every node. An encoder's vector takes 1,536 bytes; its hash code takes 8. How
# much does a network lose that reads the codes, and how good is it without any features?

# %%
import random
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch_geometric.nn import SAGEConv

import kgmm
from kgmm import hashing
from kgmm.encode import text_encoder
from kgmm.opening import open_bundled
from kgmm.language.names import label

torch.set_num_threads(1)
kb = open_bundled(Path(tempfile.mkdtemp()) / "kb")
kb

# %% [markdown]
# ## The task: what kind of thing is it?
#
# Nodes are words of WordNet under nine kinds. The graph holds the facts among them and their direct kinds; the nine
# kinds themselves are taken out, or their names would give the answers away.

# %%
KINDS = ["animal", "plant", "food", "vehicle", "clothing", "furniture", "musical_instrument", "tool", "building"]


def below(kind):
    """Everything under a kind, by IsA, with the fact that leads there."""
    found, front = {}, [f"/c/en/{kind}"]
    while front:
        facts = [f for node in front for f in kb.find(None, "IsA", node)]
        front = [f.subject for f in facts if f.subject not in found]
        found |= {f.subject: f.object for f in facts if f.subject not in found}
    return found


trees = {kind: below(kind) for kind in KINDS}
times = {}
for tree in (*trees.values(), below("person")):  # WordNet's people are animals: left out
    for node in tree:
        times[node] = times.get(node, 0) + 1
chosen = {}
for number, kind in enumerate(KINDS):
    mine = sorted(node for node in trees[kind] if times[node] == 1)  # words of one kind only
    chosen |= dict.fromkeys(random.Random(0).sample(mine, min(250, len(mine))), number)
edges = [(node, trees[KINDS[k]][node]) for node, k in chosen.items()]
edges = [(s, o) for s, o in edges if label(o).replace(" ", "_") not in KINDS]
view = kgmm.GraphView.from_edges(*zip(*edges, strict=True), relations="IsA")
print(f"{len(chosen)} words of {len(KINDS)} kinds, {len(view)} nodes, {view.edge_count} edges")
print([f"{label(s)} IsA {label(o)}" for s, o in edges[:4]])

# %% [markdown]
# ## Three kinds of features
#
# - **raw**: all-MiniLM-L6-v2 of the node's name, 384 numbers;
# - **codes**: what cross-modal hashing makes of two views of a name, MiniLM and GloVe vectors: CCA with iterative
#   quantization, trained on the names alone. A code of 64 bits is 64 numbers ±1;
# - **none**: every node the same number, so that only the shape of the graph is left.

# %%
names = [label(node) for node in view.concepts]
raw = text_encoder("minilm").encode(names)
words = text_encoder("glove").encode(names)


def codes(bits):
    hasher = hashing.create("cca-itq", bits=bits, seed=0).fit(raw, words)
    packed = hasher.encode(raw, modality="image")
    return np.unpackbits(packed, axis=1)[:, :bits].astype(np.float32) * 2 - 1


features = {"none": np.ones((len(names), 1), np.float32), "16 bits": codes(16), "32 bits": codes(32), "64 bits": codes(64), "raw": raw}
at = {node: i for i, node in enumerate(view.concepts)}
known = np.array([at[node] for node in chosen if node in at])
kind_of = torch.full((len(view),), -1)
kind_of[known] = torch.tensor([k for node, k in chosen.items() if node in at])

# %% [markdown]
# ## One network, five inputs
#
# Two layers of GraphSAGE (Hamilton et al. 2017), half of the words to train on, three seeds. Beside it a network that
# reads the node's own features and no neighbor.


# %%
class Sage(nn.Module):
    def __init__(self, width, neighbors):
        super().__init__()
        layer = SAGEConv if neighbors else lambda a, b: nn.Linear(a, b)
        self.one, self.two, self.neighbors = layer(width, 64), layer(64, len(KINDS)), neighbors

    def forward(self, x, edge_index):
        more = (edge_index,) if self.neighbors else ()
        hidden = nn.functional.dropout(torch.relu(self.one(x, *more)), 0.5, self.training)
        return self.two(hidden, *more)


edge_index = view.to_pyg().edge_index


def accuracy(x, seed, neighbors=True):
    torch.manual_seed(seed)
    order = np.random.default_rng(seed).permutation(known)
    train, test = (torch.tensor(part) for part in np.array_split(order, 2))
    x = torch.tensor((x - x.mean(0)) / (x.std(0) + 1e-6))
    net = Sage(x.shape[1], neighbors)
    optimizer = torch.optim.Adam(net.parameters(), 0.01, weight_decay=5e-4)
    for _ in range(60):
        loss = nn.functional.cross_entropy(net(x, edge_index)[train], kind_of[train])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        return float((net(x, edge_index)[test].argmax(1) == kind_of[test]).float().mean())


found = {}
print(f"{'features':10} {'bytes a node':>12} {'graph network':>16} {'no neighbors':>16}")
for name, x in features.items():
    both = [[accuracy(x, seed, neighbors) for seed in range(3)] for neighbors in (True, False)]
    found[name] = both
    size = {"none": 0, "raw": raw.nbytes // len(raw)}.get(name, x.shape[1] // 8)
    print(f"{name:10} {size:>12} " + " ".join(f"{np.mean(b):>9.3f} ± {np.std(b):.3f}" for b in both))
majority = float((kind_of[known].bincount().max() / len(known)))
print(f"majority answer: {majority:.3f}")

# %%
figure, axes = plt.subplots(figsize=(6, 3))
for offset, (which, text) in enumerate(((0, "graph network"), (1, "no neighbors"))):
    axes.bar(
        np.arange(len(found)) + 0.4 * offset, [np.mean(v[which]) for v in found.values()], 0.38, label=text,
        yerr=[np.std(v[which]) for v in found.values()], capsize=2,
    )
axes.axhline(majority, color="gray", linewidth=1, linestyle=":")
axes.set_xticks(np.arange(len(found)) + 0.2, list(found))
axes.set_ylabel("accuracy")
axes.set_ylim(0, 1)
axes.legend(frameon=False, loc="upper left")
figure.tight_layout()

# %% [markdown]
# The graph makes up for much of what the codes leave out: a neighbor's code is a second opinion. Without features the
# network is at chance: edges say that two things are alike, not what they are.

# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Transfer
#
# Labels are known for one domain and wanted for another. Here both are made: three classes of sixteen features; the target is shifted,
# and some of its features are louder.

# %%
import numpy as np
import polars as pl

from kgmm.transfer import create
from kgmm.transfer.discrepancy import mmd, permutation_test

rng = np.random.default_rng(0)
centres = rng.normal(size=(3, 16))
truth = rng.integers(0, 3, 600)
X = centres[truth] + rng.normal(size=(600, 16))
X[300:] = X[300:] * np.where(np.arange(16) < 6, 2.5, 1.0) + rng.normal(size=16)
domain = np.repeat([1, -1], 300)  # above 0: source; below 0: target
y = np.where(domain > 0, truth, -1)  # a target's labels are not read

# %% [markdown]
# ## How far apart
#
# The maximum mean discrepancy, and how often shuffled rows are as far apart.

# %%
pl.DataFrame(
    {
        "pair": ["source and target", "halves of the source"],
        "squared MMD": [mmd(X[:300], X[300:]), mmd(X[:150], X[150:300])],
        "p": [permutation_test(X[:300:3], X[300::3]), permutation_test(X[:150], X[150:300])],
    }
)

# %% [markdown]
# ## What adapters gain
#
# `weight=0` is the same classifier on the source only. The last columns are scores that read no target label.

# %%
from kgmm.transfer.scorers import CircularValidation, ImportanceWeighted, PredictionEntropy

rows = []
for name, options in {"coral": {}, "msda": {}, "dan": {"epochs": 20}, "dann": {"epochs": 20}}.items():
    for weight in (0, 1):
        adapter = create(name, weight=weight, **options).fit(X, y, sample_domain=domain)
        rows.append(
            {
                "method": name,
                "weight": weight,
                "accuracy": adapter.score(X[300:], truth[300:]),
                "entropy": PredictionEntropy()(adapter, X, y, domain),
                "weighted": ImportanceWeighted()(adapter, X, y, domain),
                "circular": CircularValidation()(adapter, X, y, domain),
            }
        )
pl.DataFrame(rows)

# %% [markdown]
# Importance weights assume that only the inputs' density differs and the rule stays; here the features themselves have moved, so the
# weighted accuracy on source rows favours what fits the source. Circular validation favours the better adapters of `coral`, `msda`, `dan`.

# %% [markdown]
# ## Several tasks
#
# Twenty tasks whose weights lie in two directions, eight examples each: together they find the directions.

# %%
task = np.repeat(np.arange(20), 8)
weights = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 15))
inputs, fresh = rng.normal(size=(2, 160, 15))
values, wanted = ((rows * weights[task]).sum(axis=1) for rows in (inputs, fresh))
together = create("mtfl", gamma=0.01).fit(inputs, values, task).predict(fresh, task)
alone = np.concatenate(
    [create("mtfl", gamma=0.01).fit(inputs[task == t], values[task == t], task[task == t]).predict(fresh[task == t], task[task == t]) for t in range(20)]
)
{"error alone": float(np.square(alone - wanted).mean()), "together": float(np.square(together - wanted).mean())}

# %% [markdown]
# ## Two views
#
# Co-training: two views label for each other what they are surest of. How often they disagree bounds the larger of their errors from above
# if they err apart; if they err together it says nothing.

# %%
classes = rng.integers(0, 2, 2000)
told = np.where(np.arange(2000) < 40, classes, -1)
rows = []
for name, shared, own in (("err apart", 0.0, 1.0), ("err together", 1.0, 0.1)):
    common = shared * rng.normal(size=2000)
    one, two = ((2 * classes - 1 + common + own * rng.normal(size=2000))[:, None] for _ in range(2))
    views = create("cotraining", rounds=5).fit(one, two, told)
    wrong = [float((c.predict(v) != classes).mean()) for c, v in zip(views.classifiers_, (one, two))]
    rows.append({"views": name, "disagree": views.disagreement(one, two), "larger error": max(wrong)})
pl.DataFrame(rows)

# %% [markdown]
# ## Pictures and texts in one space
#
# `kb.align` fits a map between two encoders and keeps it in the store. The pictures here are plain colours, and the encoder of
# pictures is three lines; `efficientnet` is the default.

# %%
import tempfile

import kgmm


class MeanColour:
    name, dim, checksum = "mean colour", 3, "mean-colour-1"

    def encode_images(self, images):
        means = np.stack([np.asarray(image, float).mean(axis=(0, 1)) for image in images])
        return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


things = {"cherry": "red", "tomato": "red", "lettuce": "green", "pea": "green", "sky": "blue", "ocean": "blue"}
shades = {"red": (220, 20, 20), "green": (20, 150, 30), "blue": (20, 40, 200)}
pictures = {
    thing: np.clip(np.array(shades[colour]) + rng.normal(0, 20, (8, 8, 3)), 0, 255).astype(np.uint8)
    for thing, colour in things.items()
}
kb = kgmm.open(tempfile.mkdtemp() + "/kb")
kb.add([kgmm.Fact(thing, "HasProperty", colour) for thing, colour in things.items()])
aligned = kb.align(pictures, {thing: f"a {colour} {thing}" for thing, colour in things.items()}, images=MeanColour())
kb.similar("something green", modality="picture", k=2, aligned=aligned)

# %%
kb.view().to_pyg(features=aligned)

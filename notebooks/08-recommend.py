# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Recommend
#
# Who may like what? From ratings, from what a store knows of the items, and with a reason that can be taken away.

# %%
import tempfile
from pathlib import Path

from IPython.display import HTML

import kgmm
from kgmm.recommend import create, load
from kgmm.recommend.board import board
from kgmm.recommend.knowledge import ItemKnowledge

folder = Path(tempfile.mkdtemp())
kb = kgmm.open(folder / "kb")

# %% [markdown]
# ## Films, who made them, and who rated them
#
# A rating is a fact like others: its weight is the rating. `sanditon` and `gladiator` have been rated by nobody.

# %%
makers = {
    "alien": "scott", "prometheus": "scott", "gladiator": "scott", "aliens": "cameron", "terminator": "cameron",
    "emma": "austen", "persuasion": "austen", "sanditon": "austen",
}  # fmt: skip
rated = {
    "ann": {"alien": 5, "emma": 1},
    "bob": {"alien": 5, "aliens": 5, "terminator": 4},
    "cy": {"emma": 5, "persuasion": 4},
    "dee": {"aliens": 4, "prometheus": 5, "alien": 4},
    "eve": {"persuasion": 5, "emma": 4, "terminator": 2},
}
kb.add([(film, "MadeBy", maker) for film, maker in makers.items()])
kb.add([kgmm.Fact(user, "rated", film, weight=value) for user, films in rated.items() for film, value in films.items()])

# %%
ratings = [(fact.subject, fact.object, fact.weight) for fact in kb.find(None, "rated", None)]
known = ItemKnowledge.of(kb, leave_out=["rated"])
link = {fact.subject: fact.subject for fact in kb.find(None, "MadeBy", None)}
# the defaults suit many users of few ratings; here tastes are clear and what is known says much
model = create("walk", lift=1.0, popularity=0.5, knowledge=1.0).fit(ratings, known, link)
model.view

# %% [markdown]
# ## One user, and why

# %%
for found in model.recommend("/c/en/ann", k=4, reasons=True):
    print(f"{found.score:.3f}", found.item, *found.reasons, sep="\n      ")

# %% [markdown]
# ## Taking the reason away
#
# An explanation is worth something if the recommendation hangs on it: without the edges of the path the score falls.

# %%
reason = model.explain("/c/en/ann", "/c/en/prometheus")[0]
before = model.score("/c/en/ann", "/c/en/prometheus")[0, 0]
after = model.without(reason).score("/c/en/ann", "/c/en/prometheus")[0, 0]
assert after < before
str(reason), float(before), float(after)

# %% [markdown]
# ## New users and new items
#
# Nobody needs to be learned again: a new user is what they rated, and a film that nobody rated is found by what is known.

# %%
new = model.recommend({"/c/en/persuasion": 5}, k=4)
assert "/c/en/sanditon" in [one.item for one in new]
new

# %% [markdown]
# ## Other methods say which rating counts most

# %%
factors = create("als", factors=2, weight=0.01).fit(ratings)
factors.recommend("/c/en/ann", k=2, reasons=True)

# %% [markdown]
# ## A board, and a saved model
#
# `kgmm recommend kb ann --html board.html` writes the same page; with `--pictures FOLDER` it has posters.

# %%
model.save(folder / "walk.safetensors")
again = load(folder / "walk.safetensors")
page = board("/c/en/ann", again.name, again.recommend("/c/en/ann", k=3, reasons=True))
(folder / "board.html").write_text(page)
HTML(page)

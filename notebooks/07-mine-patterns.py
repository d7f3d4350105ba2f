# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Mine patterns
#
# What do rows of items, and the facts of a store, have in common? And what follows, that no fact says yet?

# %%
import tempfile
from pathlib import Path

import polars as pl

import kgmm
from kgmm.patterns import accept, candidates, conclude, itemsets, reject, rules
from kgmm.opening import open_bundled

pl.Config.set_fmt_str_lengths(80)
pl.Config.set_tbl_width_chars(140)
kb = open_bundled(Path(tempfile.mkdtemp()) / "kb")

# %% [markdown]
# ## Itemsets and rules
#
# Rows are lists of items. Here a row is a thing, and its items are what it is used for and where it is.

# %%
things: dict[str, set[str]] = {}
for relation in ("UsedFor", "AtLocation"):
    for fact in kb.find(None, relation, None):
        things.setdefault(fact.subject, set()).add(f"{relation} {fact.object.rpartition('/')[2]}")
rows = [sorted(items) for items in things.values()]
len(rows), itemsets(rows, 5).filter(pl.col("itemsets").list.len() > 1).head(8)

# %%
rules(rows, 4, 0.5).select("antecedents", "consequents", "support", "confidence", "lift").head(8)

# %% [markdown]
# ## Rules over facts
#
# Bodies of one or two atoms that imply a relation. `exception` is a pair that the rule would give and the facts do not.

# %%
found = kb.rules(3, 10, min_confidence=0.2, graphs=[g for g in kb.knowledge_graphs() if g != "wordnet"])
found.select("rule", "support", "body_size", "pca_confidence", "exception").head(10)

# %% [markdown]
# ## What follows becomes a candidate
#
# Candidates lie in a graph of their own, which nothing reads unless it is told to. Each says by which rule it came, and rests on the
# facts that the rule used.

# %%
print(conclude(kb, found, "rules", least=0.3, limit=2000), "candidates")
best = candidates(kb, "rules")
for fact in best[:6]:
    print(f"{fact.weight:.2f}  {fact.subject} {fact.predicate} {fact.object}   {fact.source}")

# %%
if best:
    (said,) = kb.assertions(best[0])
    print(said.method, said.contributor, said.rests_on)

# %% [markdown]
# Accepted, one is general knowledge; rejected, it is not proposed again. Withdrawing the miner takes all of it back.

# %%
accept(kb, best[:1], by="me")
reject(kb, best[1:3], by="me")
print(len(candidates(kb)), "left;", "accepted" in kb.knowledge_graphs())
kb.withdraw(contributor="kgmm mine")
len(candidates(kb)), "accepted" in kb.knowledge_graphs()

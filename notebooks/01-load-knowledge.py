# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Load knowledge, and look at it
#
# A store is a folder. It holds facts, scene graphs and stories side by side as named graphs; every load is one
# commit, and earlier versions stay readable.

# %%
import tempfile
from pathlib import Path

import kgmm
from kgmm import bundled

folder = Path(tempfile.mkdtemp())
kb = kgmm.open(folder / "kb")
reports = [kb.load(file, graph="commonsense") for file in sorted((bundled.folder("knowledge") / "commonsense").glob("*.tsv"))]
sum(r.added for r in reports), kb.version

# %% [markdown]
# Look facts up by any of subject, predicate and object. The result is columnar; nothing is decoded until it is shown.

# %%
kb.find("spoon")

# %%
[(f.subject, f.object) for f in kb.find(None, "UsedFor", "cutting")]

# %% [markdown]
# ## Bad lines don't stop a load
# Malformed lines go to a rejects file with line number and reason.

# %%
messy = folder / "messy.tsv"
messy.write_text("kettle\tUsedFor\tboiling water\nthis line has one column\nkettle\tIsA\tappliance\n")
report = kb.load(messy, graph="mine")
report.added, report.rejected, Path(report.rejects).read_text() if report.rejects else ""

# %% [markdown]
# ## A scene is a graph in the same store
# One query may cross facts and scenes: which scenes show something that is used for stirring?

# %%
for scene in sorted((bundled.folder("graphs") / "scenes").glob("*.json")):
    kb.load(scene)
rows = kb.sparql(
    """SELECT DISTINCT ?scene ?thing {
         GRAPH ?g { ?scene r:Depicts ?thing }
         ?thing r:UsedFor c:stirring }"""
)
list(rows)

# %% [markdown]
# ## Time travel

# %%
kb.remove("kettle", "IsA", "appliance")
before = kgmm.open(folder / "kb", version=kb.version - 1)
len(kb.find("kettle")), len(before.find("kettle"))

# %% [markdown]
# ## Walk
# Random walk with restart ranks what is near a concept.

# %%
kb.view(graphs=["commonsense"]).walk("spoon").top(8)

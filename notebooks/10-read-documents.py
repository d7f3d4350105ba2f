# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Read documents
#
# A folder of texts becomes passages beside a store's facts. They are found by words, names and a walk, sentences that
# surely state something become facts, and questions are answered with the sentences quoted. No language model.

# %%
import tempfile
from pathlib import Path

import kgmm

folder = Path(tempfile.mkdtemp())
notes = folder / "notes"
notes.mkdir()
(notes / "lothair.md").write_text(
    "# Lothair II\n\nLothair II was the king of Lotharingia from 855. "
    "He was the second son of Lothair I and Ermengarde of Tours."
)
(notes / "ermengarde.md").write_text(
    "# Ermengarde of Tours\n\nErmengarde of Tours (d. 20 March 851) was the daughter of Hugh of Tours."
)
(notes / "gate.html").write_text(
    "<title>The Iron Gate</title><p>The Iron Gate is a 1954 Italian drama film directed by Carla Neri.</p>"
)
kb = kgmm.open(folder / "kb")
kb.read(notes).to_dict()

# %% [markdown]
# ## Passages, and the way to each

# %%
for passage in kb.retrieve("When did Lothair II's mother die?", passages=2).passages:
    print(passage)

# %% [markdown]
# ## Facts
# Each is an assertion with its document and the place of its sentence; whatever is denied, asked or quoted is no fact.

# %%
kb.read([], facts=True)
for fact in kb.find(graph="documents"):
    print(fact.subject, fact.predicate, fact.object)

# %% [markdown]
# ## Answers
# Two sentences of two documents carry this one. Without either, there is none.

# %%
answer = kb.ask(None, "When did Lothair II's mother die?")
print(answer)
for cited in answer.trace.citations:
    print(cited.fact.object, "— without it:", answer.trace.without(cited))
[check.passed for check in answer.trace.verify(kb)]

# %%
print(kb.ask(None, "When did Lothair II's father die?"))

# %% [markdown]
# ## An extractor of one's own
# A function, with a language model behind it if you like; what it returns is checked and marked with its name.


# %%
def years(text, about):
    at = text.find("1954")
    return [(about["title"], "HasYear", "1954", at, at + 4)] if at >= 0 else []


kb.read(notes, extractor=years)
[(a.contributor, a.text) for f in kb.find(predicate="HasYear") for a in kb.assertions(f)]

# %% [markdown]
# ## What goes takes what it said with it

# %%
gone = next(name for name in kb.documents() if name.endswith("ermengarde.md"))
kb.remove_documents(gone)
print([f.predicate for f in kb.find("ermengarde of tours", graph="documents")])
print(kb.ask(None, "When did Lothair II's mother die?"))

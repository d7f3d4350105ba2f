# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Summarize a news story
#
# Broadcast news shows a small picture beside the anchor, the *newslogo*. The same logo returns with later shots of the
# same story, so it links footage that is days apart. A random walk that restarts at the logo finds the frames and terms
# that tell the story (MMSS: Pan, Yang and Faloutsos, ICDM 2004).

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image

import kgmm
from kgmm.stories.example.news import news

folder = Path(tempfile.mkdtemp())
story = news(keyframes=folder / "keyframes")
story

# %% [markdown]
# The bundled example is four evening programmes of an invented channel. Keyframes and logos are drawn when asked for;
# each shot knows its time, what was said in it, and the logos seen in it:

# %%
story.shots[16]

# %% [markdown]
# ## One story

# %%
summary = kgmm.summarize(story, "Stranded whale", frames=6)
summary

# %% [markdown]
# A picture of a logo, or a term, is a query as well:

# %%
logo = story.logos[story.logo("ferry")]
print(kgmm.summarize(story, Image.open(logo.image), frames=3))
print(kgmm.summarize(story, "lighthouse", frames=3))

# %% [markdown]
# ## What the store knows of its terms
#
# The story goes into the store as the named graph `story/news`: terms are the store's own concepts, so they carry facts.

# %%
kb = kgmm.open(folder / "kb")
kb.add([
    ("whale", "IsA", "mammal"), ("whale", "AtLocation", "sea"), ("estuary", "PartOf", "river"),
    ("tide", "CausedBy", "moon"), ("biologist", "CapableOf", "study life"), ("dredger", "UsedFor", "clearing a channel"),
])
kgmm.stories.save(story, kb)
linked = kb.summarize("news", "whale", terms=6)
[(term.term, term.facts) for term in linked.terms]

# %%
kb.summarize("news", "whale", frames=6).to_html(folder / "whale.html")[:60]

# %% [markdown]
# ## How good is it?
#
# Every shot of the example has the label of its story, and every story its annotated terms. Beside MMSS stand three
# baselines; then as much unrelated footage is added.

# %%
from kgmm.stories import summarizers
from kgmm.evaluate.stories import evaluate, with_unrelated

for name, footage in (("news", news()), ("amid unrelated footage", with_unrelated(news()))):
    print(name)
    for method in summarizers():
        five, ten = evaluate(footage, method), evaluate(footage, method, frames=10)
        print(f"  {method:14} frames@5 {five.frames:.3f}   frames@10 {ten.frames:.3f}   terms@10 {five.terms:.3f}")

# %% [markdown]
# ## From real video
#
# The first shots rendered to an MP4 with subtitles, and read back from nothing but pixels and captions.

# %%
from kgmm.stories.example.render import render

brief = replace(news(), id="brief", shots=news().shots[12:32], broadcasts=news().broadcasts[:1])
(video,) = render(brief, folder, pace=3)
seen = kgmm.stories.from_video(video, keyframes=folder / "seen")
print(seen)
kgmm.summarize(seen, seen.logos[0].id, frames=3)

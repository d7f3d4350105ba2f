"""What is said in a news story as documents: one a broadcast, cut where its shots begin, so that each passage is of one shot."""

from __future__ import annotations

from kgmm.documents.passage import Document
from kgmm.documents.shots import STORY
from kgmm.documents.taking import ReadReport, kept, read, remove
from kgmm.progress import Progress
from kgmm.store import LocalStore
from kgmm.stories.stored import from_store, save
from kgmm.stories.story import StoryGraph


def transcripts(story: StoryGraph) -> list[Document]:
    r"""Return what is said in a story, a document a broadcast: ``story/STORY/BROADCAST``, dated as this is.

    Example:
        >>> from kgmm.stories import Shot
        >>> shots = (Shot("a", 0, 4, text="The river is up."), Shot("b", 4, 9), Shot("c", 9, 12, text="The dam holds."))
        >>> (said,) = transcripts(StoryGraph("news", shots))
        >>> said.id, said.text, said.breaks
        ('story/news', 'The river is up.\nThe dam holds.', (17,))
    """
    named = {broadcast.id: broadcast for broadcast in story.broadcasts}
    said: dict[str, list[str]] = {}
    for shot in story.shots:
        if shot.text.strip():
            said.setdefault(shot.broadcast, []).append(shot.text)
    made = []
    for id, texts in said.items():
        broadcast = named.get(id)
        begins, at = [], 0
        for text in texts:
            begins.append(at)
            at += len(text) + 1
        edges = tuple(begins[1:])
        title = " ".join(part for part in (broadcast.title, broadcast.date) if part) if broadcast else ""
        date, name = (broadcast.date if broadcast else ""), f"{STORY}{story.id}" + (f"/{id}" if id else "")
        made.append(
            Document(name, "\n".join(texts), title or id or story.id, story.graph, date, breaks=edges, pages=edges)
        )
    return made


def read_story(store: LocalStore, story: str | StoryGraph, *, progress: Progress | None = None) -> ReadReport:
    """Take what is said in a story into a store's documents, in place of what was said in it before.

    Passages that are found tell the shot's node (``passage.shot``) and its seconds (``passage.begins``, ``passage.ends``).

    Args:
        store: where to keep them.
        story: one of the store's by its name, or a story, which is then kept in the store too.
        progress: called with documents read.

    Raises:
        UnknownConcept: if the store has no such story.
    """
    if isinstance(story, str):
        story = from_store(store, story)
    else:
        save(story, store)
    documents = transcripts(story)
    mine, new = f"{STORY}{story.id}", {document.id for document in documents}
    gone = [id for id in kept(store).digests() if (id == mine or id.startswith(mine + "/")) and id not in new]
    report = read(store, documents, progress=progress)
    if gone:
        remove(store, gone)
    return report

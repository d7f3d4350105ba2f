"""Opening a knowledge store: a folder, an endpoint, or the bundled knowledge."""

from pathlib import Path

from kgmm import bundled
from kgmm.knowledge import KnowledgeStore
from kgmm.progress import Progress, silent
from kgmm.remote_knowledge import RemoteKnowledge


def open(
    path: str | Path = "~/.local/share/kgmm/default", create: bool = True, version: int | None = None
) -> KnowledgeStore | RemoteKnowledge:
    """Open a knowledge store: a folder, or the address of a SPARQL 1.1 endpoint.

    Args:
        path: the store's folder, or an ``http://`` or ``https://`` address.
        create: make an empty store if there is none.
        version: show this version instead of the newest.

    Raises:
        StoreError: if there is no store, no such version, or the folder holds something else.

    Example:
        >>> import tempfile
        >>> with open(tempfile.mkdtemp() + "/kb") as kb:
        ...     len(kb)
        0
    """
    if str(path).startswith(("http://", "https://")):
        return RemoteKnowledge(str(path))
    return KnowledgeStore(path, create, version)


def open_bundled(path: str | Path = "~/.local/share/kgmm/bundled", *, progress: Progress = silent) -> KnowledgeStore:
    """Open a store of the bundled knowledge, loading what of it is not there yet.

    The graphs are ``commonsense`` (our own facts), ``wordnet`` and one scene graph a photograph.

    Raises:
        KgmmError: if the installation lacks the bundled knowledge.

    Example:
        >>> import tempfile
        >>> kb = open_bundled(tempfile.mkdtemp() + "/kb")
        >>> len(kb.find("spoon", "UsedFor")) > 0, "scene/coffee" in kb.graphs()
        (True, True)
    """
    kb = KnowledgeStore(path)
    there = kb.graphs()
    knowledge = bundled.folder("knowledge")
    if "commonsense" not in there:
        for file in sorted((knowledge / "commonsense").glob("*.tsv")):
            kb.load(file, graph="commonsense", progress=progress)
    wordnet = knowledge / "wordnet.tsv.gz"
    if "wordnet" not in there and wordnet.is_file():
        kb.load(wordnet, graph="wordnet", progress=progress)
    for scene in sorted((bundled.folder("graphs") / "scenes").glob("*.json")):
        if f"scene/{scene.stem}" not in there:
            kb.load(scene, progress=progress)
    return kb

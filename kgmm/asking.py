"""What one asks of knowledge, wherever it lies: views, retrieval, questions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from kgmm.errors import BadInput, StoreError
from kgmm.store import LocalStore
from kgmm.store.times import Moment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kgmm.encode import Encoder
    from kgmm.fusion.alignment import Alignment
    from kgmm.graph import GraphView
    from kgmm.hashing import Hasher
    from kgmm.retrieve import Key, Memory
    from kgmm.scene import SceneGraph
    from kgmm.scene.images import ImageLike
    from kgmm.trace import Answer


class Asking(ABC):
    """What one asks of knowledge, wherever it lies: views, the facts that bear on something, answers."""

    #: what ``view.to_pyg(features="minilm")`` or ``features=hasher`` asks for vectors of terms, if it can be asked
    _node_features: Callable[[NDArray[np.uint32], str | Encoder | Hasher | Alignment], NDArray[np.float32]] | None = (
        None
    )

    def _as_of(self, at: Moment, version: int | None) -> Self:
        """Return what is asked as it was at a time or version."""
        if at is not None or version is not None:
            raise StoreError("an endpoint's facts have neither versions nor times; copy them with excerpt()")
        return self

    @abstractmethod
    def _known_of(self, text_or_scene: str | list[str] | SceneGraph, *texts: str) -> LocalStore:
        """Return a store on this machine with what is known of a scene's things and the words of some texts."""

    @abstractmethod
    def _known_of_picture(
        self, source: ImageLike | SceneGraph | None, perceiver: str, texts: Sequence[str]
    ) -> tuple[LocalStore, ImageLike | SceneGraph | None]:
        """Return such a store, and the picture or what was seen in it."""

    def view(
        self,
        graphs: str | Iterable[str] | None = None,
        relations: str | Iterable[str] | None = None,
        directed: bool = False,
        relation_weights: Mapping[str, float] | None = None,
        *,
        weighted: bool = True,
        literals: bool = False,
        split_senses: bool = False,
        at: Moment = None,
        version: int | None = None,
    ) -> GraphView:
        """Return the graph of some facts (all by default); see :func:`kgmm.graph.view`.

        With *at* the graph of what held at a time, with *version* of what the store held then.

        Example:
            >>> import tempfile, kgmm
            >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
            >>> _ = kb.add([("dog", "IsA", "animal"), ("cat", "IsA", "animal")])
            >>> [name for name, _ in kb.view().walk("dog").top(2)]
            ['/c/en/animal', '/c/en/dog']
        """
        from kgmm.graph import view

        store = cast(LocalStore, self._as_of(at, version))  # an endpoint's statements are read by the same two calls
        options = {"weighted": weighted, "literals": literals, "split_senses": split_senses}
        made = view(store, graphs, relations, directed, relation_weights, **options)
        made.node_features = self._node_features
        return made

    def retrieve(
        self,
        text_or_scene: str | list[str] | SceneGraph,
        question: str | None = None,
        limit: int = 60,
        *,
        exclude: Iterable[Key] = (),
        graphs: Sequence[str] | None = None,
        split_senses: bool = False,
        choices: Sequence[str] = (),
        at: Moment = None,
        version: int | None = None,
        passages: int | None = None,
        source: str | None = None,
        since: Moment = None,
        until: Moment = None,
    ) -> Memory:
        """Return the facts that bear on a sentence, concepts or a scene; see :func:`kgmm.retrieve.retrieve`.

        With *at* only of what held at a time, with *version* of what the store held then. With *passages* the memory holds
        so many passages of the documents that were read instead of facts, those of a *source* or time alone if these are
        given; see :func:`kgmm.documents.retrieve.passages`.

        Example:
            >>> import tempfile, kgmm
            >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
            >>> _ = kb.read([{"title": "Otto", "text": "Otto was a cat."}, {"text": "It rains in Rome."}])
            >>> kb.retrieve("Where does it rain?", passages=1).passages[0].text
            'It rains in Rome.'
        """
        if passages is not None:
            return self._passages(text_or_scene, question, passages, source=source, since=since, until=until)
        if source is not None or since is not None or until is not None:
            raise BadInput("retrieve", "source, since and until choose among passages: say how many, passages=5")
        if at is not None or version is not None:
            how: dict[str, Any] = {"exclude": exclude, "graphs": graphs, "split_senses": split_senses}
            return self._as_of(at, version).retrieve(text_or_scene, question, limit, choices=choices, **how)
        from kgmm.retrieve import retrieve

        chosen = list(graphs) if graphs is not None else None
        store = self._known_of(text_or_scene, question or "", *choices)
        asking = partial(retrieve, store, text_or_scene, question, limit, choices=choices)
        return asking(exclude=frozenset(exclude), graphs=chosen, split_senses=split_senses)

    def _passages(self, text: str | list[str] | SceneGraph, question: str | None, count: int, **filters: Any) -> Memory:
        """Return a memory of passages."""
        raise StoreError("an endpoint has no documents; read some into a store of your own")

    def ask(
        self,
        image_or_scene: ImageLike | SceneGraph | None,
        question: str,
        *,
        reasoner: str | Path = "default",
        choices: Sequence[str] | None = None,
        top: int = 3,
        perceiver: str = "default",
        graphs: Sequence[str] | None = None,
        limit: int = 60,
        exclude: Iterable[Key] = (),
        threshold: float | None = None,
        implied: bool = True,
        mined: bool = False,
        at: Moment = None,
        version: int | None = None,
    ) -> Answer:
        """Answer a question about a picture or scene, or about nothing seen (None), with evidence; see :func:`kgmm.reason.ask`.

        With *at* from what held at a time alone, with *version* from what the store held then, with *mined* also from candidates
        that were mined and not accepted.
        """
        if at is not None or version is not None:
            how: dict[str, Any] = {"reasoner": reasoner, "choices": choices, "top": top, "perceiver": perceiver}
            how |= {"graphs": graphs, "limit": limit, "exclude": exclude, "threshold": threshold, "implied": implied}
            how["mined"] = mined
            return self._as_of(at, version).ask(image_or_scene, question, **how)
        from kgmm.reason import ask

        store, source = self._known_of_picture(image_or_scene, perceiver, [question, *(choices or ())])
        if mined:
            from kgmm.patterns.candidates import candidate_graphs

            graphs = [*(store.knowledge_graphs() if graphs is None else graphs), *candidate_graphs(store)]
        asking = partial(ask, store, source, question, reasoner=reasoner, choices=choices, top=top, perceiver=perceiver)
        return asking(graphs=graphs, limit=limit, exclude=exclude, threshold=threshold, implied=implied)

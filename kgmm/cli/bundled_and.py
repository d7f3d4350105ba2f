"""The store that graph networks are trained and measured on: the bundled knowledge and files of triples."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kgmm.store import LocalStore


@contextmanager
def bundled_and(facts: Sequence[Path] = (), place: Path | None = None) -> Iterator[LocalStore]:
    """Give a store of the bundled knowledge and of files of triples, each a named graph.

    *place* is where it is kept: what is there is not loaded again. By default it goes with the block.

    Raises:
        KgmmError: if a file cannot be read as triples.
    """
    from kgmm.opening import open_bundled

    with TemporaryDirectory() as scratch, open_bundled(place or Path(scratch) / "kb") as store:
        there = store.graphs()
        for path in facts:
            if (graph := f"facts/{path.stem}") not in there:
                store.load(path, graph=graph)
        yield store

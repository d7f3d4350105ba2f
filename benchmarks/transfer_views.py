"""Wiki's texts' labels for its pictures: the asymmetric network over ten draws, and a graph's nodes with five labels a class.

``python -m benchmarks.transfer_views DATA [--draws 10] [--seeds 3] [--held-out]``; DATA holds ``wiki``. With ``--held-out`` a fifth of
the training documents stands for the test documents: what options were chosen by.
"""

import argparse
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from torch.nn import functional as F

import kgmm
from kgmm.data.cross_modal import CrossModal, read_cross_modal
from kgmm.errors import KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.transfer import create

NEAREST, HOPS, RESTART, STEPS, RATE, DECAY = 10, 10, 0.2, 100, 0.05, 1e-3


class Rows:
    """An encoder whose inputs end in numbers of rows."""

    name = "rows"

    def __init__(self, rows: np.ndarray, checksum: str) -> None:
        self.rows, self.dim, self.checksum = rows.astype(np.float32), rows.shape[1], checksum

    def encode(self, names: Sequence[Any]) -> np.ndarray:
        return self.rows[[int(str(name).split()[-1]) % len(self.rows) for name in names]]

    encode_images = encode


def few(labels: np.ndarray, rng: np.random.Generator, each: int = 5) -> np.ndarray:
    """Return so many rows of each class."""
    return np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:each] for c in np.unique(labels)])


def draw(data: CrossModal, seed: int, **options: Any) -> dict[str, float]:
    """What share of test pictures are told right with five labelled pictures a class, by DATN and without the texts."""
    truth, wanted = data.labels_train.argmax(axis=1), data.labels_test.argmax(axis=1)
    rng = np.random.default_rng(seed)
    own = few(truth, rng)
    known = np.full(len(truth), -1)
    known[own] = truth[own]
    mean, spread = data.image_train.mean(axis=0), data.image_train.std(axis=0) + 1e-12
    x, z = (data.image_train - mean) / spread, (data.image_test - mean) / spread
    all_rows = np.arange(len(truth))
    said, shown = np.array_split(rng.permutation(all_rows), 2)  # texts with labels and no picture; pairs without labels
    told = {
        "target only, C=0.01": LogisticRegression(C=0.01, max_iter=500).fit(x[own], truth[own]).predict(z),
        "target only, C by cross-validation": LogisticRegressionCV(Cs=np.logspace(-4, 1, 6), cv=5, max_iter=500)
        .fit(x[own], truth[own])
        .predict(z),
        "datn": create("datn", seed=seed, **options)
        .fit(data.text_train, truth, data.image_train, known, np.stack([all_rows] * 2, axis=1))
        .predict(data.image_test),
        "each picture has its text's label": LogisticRegression(C=0.01, max_iter=500).fit(x, truth).predict(z),
    }
    reader = LogisticRegression(C=10, max_iter=500).fit(data.text_train[said], truth[said])
    guessed = truth.copy()
    guessed[shown] = reader.predict(data.text_train[shown])
    told["half of the pairs, their texts' labels guessed"] = (
        LogisticRegression(C=0.01, max_iter=500).fit(x[shown], guessed[shown]).predict(z)
    )
    told["datn, half of the pairs, their texts' labels guessed"] = (
        create("datn", seed=seed, **options)
        .fit(data.text_train, guessed, data.image_train, known, np.stack([shown] * 2, axis=1))
        .predict(data.image_test)
    )
    return {name: float(np.mean(found == wanted)) for name, found in told.items()}


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def nodes(data: CrossModal, seed: int, kb: KnowledgeStore, method: str = "ridge") -> dict[str, float]:
    """What share of pictures without a text are told right in a graph whose only labels are five texts' of each class.

    Half of the training documents are texts alone. The other half's texts and pictures are nodes that are joined, and what the
    alignment is fitted on; none of these has a label. Test pictures stand alone. Each node is joined with the nearest of its own kind,
    by its encoder's own vectors: the graph is the same whatever the nodes' features are.
    """
    rng = np.random.default_rng(seed)
    truth, wanted = data.labels_train.argmax(axis=1), data.labels_test.argmax(axis=1)
    alone, both = np.array_split(rng.permutation(len(truth)), 2)
    known = alone[few(truth[alone], rng)]
    images = Rows(np.vstack([data.image_train, data.image_test]), f"images {seed}")
    texts = Rows(data.text_train, f"texts {seed}")
    pictures = [f"picture {row}" for row in both] + [f"picture {len(truth) + row}" for row in range(len(wanted))]
    spoken = [f"text {row}" for row in np.concatenate([alone, both])]
    facts = [kgmm.Fact(f"text {row}", "DepictedBy", f"picture {row}") for row in both]
    own: dict[str, np.ndarray] = {}
    for names, encoder, fitted in ((spoken, texts, data.text_train), (pictures, images, data.image_train[both])):
        rows = unit((encoder.encode(names) - fitted.mean(axis=0)) / (fitted.std(axis=0) + 1e-9))
        like = rows @ rows.T
        np.fill_diagonal(like, -2)
        near = np.argpartition(-like, NEAREST, axis=1)[:, :NEAREST]
        joined = {(min(a, b), max(a, b)) for a, found in enumerate(near.tolist()) for b in found}
        facts += [kgmm.Fact(names[a], "SimilarTo", names[b]) for a, b in sorted(joined)]
        own |= dict(zip(names, rows, strict=True))
    kb.add(facts)
    made = kb.align(
        dict(zip(pictures, pictures, strict=True)),
        {f"picture {row}": str(row) for row in both},
        images=images,
        texts=texts,
        method=method,
    )  # type: ignore[arg-type]
    view = kb.view()
    aligned = view.to_pyg(features=made)
    plain = [name.removeprefix("/c/en/").replace("_", " ") for name in view.concepts]
    place = {name: row for row, name in enumerate(plain)}
    apart = torch.zeros(len(plain), texts.dim + images.dim)
    for name, row in place.items():
        start = 0 if name.startswith("text") else texts.dim
        apart[row, start : start + len(own[name])] = torch.as_tensor(own[name])
    seen = torch.tensor([place[f"text {row}"] for row in known])
    asked = torch.tensor([place[name] for name in pictures[len(both) :]])
    labels = torch.as_tensor(truth[known])
    found = {"majority": float(np.bincount(wanted).max() / len(wanted))}
    for said, x in (("not aligned", apart), ("aligned", aligned.x)):
        plain_model = LogisticRegression(max_iter=500).fit(x[seen].numpy(), truth[known])
        found[f"features only, {said}"] = float(np.mean(plain_model.predict(x[asked].numpy()) == wanted))
        told = passed(x, aligned.edge_index, seen, labels, seed)[asked].numpy()
        found[f"graph network, {said}"] = float(np.mean(told == wanted))
    return found


def passed(x: torch.Tensor, edges: torch.Tensor, seen: torch.Tensor, labels: torch.Tensor, seed: int) -> torch.Tensor:
    """Return the class of each node: a layer's probabilities, passed on with restart (Gasteiger, Bojchevski, Günnemann, ICLR 2019).

    The layer learns from the labelled nodes alone; trained through the passing it did worse on held-out documents.
    """
    from torch_geometric.nn import APPNP

    torch.manual_seed(seed)
    score, passing = torch.nn.Linear(x.shape[1], int(labels.max()) + 1), APPNP(HOPS, RESTART)
    optimizer = torch.optim.Adam(score.parameters(), RATE, weight_decay=DECAY)
    for _ in range(STEPS):
        loss = F.cross_entropy(score(x[seen]), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        best: torch.Tensor = passing(score(x).softmax(1), edges).argmax(1)
    return best


def held_out(data: CrossModal, seed: int) -> CrossModal:
    """Return training documents alone, a fifth of them as test documents."""
    order = np.random.default_rng(seed).permutation(len(data.image_train))
    test, train = np.split(order, [len(order) // 5])
    parts = {
        f"{kind}_{name}": getattr(data, f"{kind}_train")[rows]
        for kind in ("image", "text", "labels")
        for name, rows in (("train", train), ("test", test))
    }
    return replace(data, **parts)


def told(name: str, rows: Sequence[dict[str, float]]) -> None:
    print(name)
    for key in rows[0]:
        values = [row[key] for row in rows]
        print(
            f"  {key:52} {np.mean(values):.3f} ± {np.std(values):.3f}  " + " ".join(f"{v:.3f}" for v in values),
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--held-out", action="store_true")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    read = read_cross_modal(given.data / "wiki")
    first = 100 if given.held_out else 0
    rows = []
    for seed in range(first, first + given.seeds):
        with tempfile.TemporaryDirectory() as folder, kgmm.open(Path(folder) / "kb") as kb:
            if not isinstance(kb, KnowledgeStore):
                raise KgmmError("a folder opened as something else")
            rows.append(nodes(held_out(read, seed) if given.held_out else read, seed, kb))
    if rows:
        told("pictures among nodes, five labelled texts a class", rows)
    draws = [draw(held_out(read, s) if given.held_out else read, s) for s in range(first, first + given.draws)]
    if draws:
        told("pictures, five of them labelled a class", draws)


if __name__ == "__main__":
    main()

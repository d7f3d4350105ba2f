"""Fit what guesses the text model's cosines: `python -m benchmarks.fit_nearness [FILE …]` writes kgmm/weights/nearness.

A ridge regression of MiniLM's vectors of facts and concepts (of the bundled knowledge, and of FILEs) on the weighted mean of
its own token vectors; see kgmm/encode/nearness.py. Prints the correlation of guessed and true cosines between texts left out.
"""

import sys
import tempfile

import numpy as np
from safetensors.numpy import save_file

from kgmm.encode.nearness import WEIGHTS, Tokens
from kgmm.encode.text import text_encoder
from kgmm.language.names import label
from kgmm.opening import open_bundled
from kgmm.retrieve.score import phrases
from kgmm.store.facts import Columns

FACTS, CONCEPTS, LEFT_OUT = 24_000, 12_000, 2_000
RIDGE = 1e-3  #: of the mean eigenvalue; ten times more or less change nothing


def main(files: list[str]) -> None:
    """Fit, tell, and write."""
    draw, model, tokens = np.random.default_rng(0), text_encoder("minilm"), Tokens()
    with tempfile.TemporaryDirectory() as scratch, open_bundled(scratch + "/kb") as kb:
        for file in files:
            kb.load(file, graph="further")
        texts: list[str] = []
        for graph in kb.knowledge_graphs():
            columns = kb.columns(graphs=[graph])
            rows = draw.permutation(len(columns.subject))[:FACTS]
            texts += phrases(kb, Columns._make(column[rows] for column in columns))
            ids = draw.permutation(np.unique(np.concatenate([columns.subject, columns.object])).astype(np.int64))
            texts += map(label, kb.terms.names(ids[: CONCEPTS // 2]))
    texts = draw.permutation(list(dict.fromkeys(texts))).tolist()
    means, vectors = tokens.means(texts), model.encode(texts)
    x, y = means[LEFT_OUT:], vectors[LEFT_OUT:]
    squares = x.T @ x
    squares += RIDGE * np.trace(squares) / len(squares) * np.eye(len(squares), dtype=np.float32)
    fitted = np.linalg.solve(squares, x.T @ y).astype(np.float16)
    guessed = means[:LEFT_OUT] @ fitted.astype(np.float32) @ vectors[:200].T
    true = vectors[:LEFT_OUT] @ vectors[:200].T
    print(f"{len(texts):,} texts; correlation {np.corrcoef(guessed.ravel(), true.ravel())[0, 1]:.3f}")
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    save_file({"map": fitted}, WEIGHTS)


if __name__ == "__main__":
    main(sys.argv[1:])

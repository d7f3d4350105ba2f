"""How long KDMN takes to read memories of 60 facts, batched, with the shipped weights.

usage: python benchmarks/kdmn_speed.py [MEMORIES] [FACTS]
"""

from __future__ import annotations

import sys
import time

import torch

from kgmm.nn.kdmn import FactBatch
from kgmm.reason.kdmn.reasoner import WEIGHTS, load
from kgmm.reason.kdmn.tensors import END_FEATURES, FEATURES
from kgmm.train.kdmn import predict


def batch(memories: int, facts: int, words: int, sentence: int, seen: int = 12) -> FactBatch:
    """Return random memories of the shapes that retrieval gives."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    return FactBatch(
        random(memories, sentence),
        random(memories, seen, words),
        torch.ones(memories, seen, dtype=torch.bool),
        random(memories, facts, 3, words),
        random(memories, facts, sentence),
        random(memories, facts, len(FEATURES)),
        random(memories, facts, 2, len(END_FEATURES)),
        torch.ones(memories, facts, dtype=torch.bool),
    )


def main() -> None:
    memories, facts = (int(a) for a in (sys.argv[1:] + ["1000", "60"][len(sys.argv) - 1 :])[:2])
    trained = load(WEIGHTS)
    made = batch(memories, facts, trained.words.dim, 384)
    predict(trained.model, made)
    start = time.perf_counter()
    predict(trained.model, made)
    seconds = time.perf_counter() - start
    print(f"{memories} memories of {facts} facts: {seconds:.2f} s, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()

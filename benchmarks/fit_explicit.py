"""Fit the explicit reasoner's linear weights on a development split of FVQA's training file.

usage: python benchmarks/fit_explicit.py FVQA_DIR --distractors FILE [--write]

Half of the images (seed 0) train a softmax over (fact, answering end) pairs whose right pair has a gold fact and the
gold answer; the other half is scored. A logistic on the best pair's logit gives the confidence. ``--write`` puts the
weights into kgmm/reason/ranking/weights.py.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from kgmm.data.fvqa import FvqaQuestion, fvqa_store, load_questions, right_answer, split_by_image
from kgmm.encode.vectors import prime
from kgmm.language.names import label
from kgmm.reason.ranking.features import FEATURES, evidence
from kgmm.reason.task import Task

TEMPLATE = '''"""Weights of the explicit reasoner, written by ``benchmarks/fit_explicit.py``; do not edit by hand.

{report}
"""

from __future__ import annotations

import numpy as np

#: one weight a feature of :data:`kgmm.reason.ranking.features.FEATURES`
WEIGHTS = np.array(
    [
{weights}
    ]
)
#: confidence = 1 / (1 + exp(-(SLOPE * logit + BIAS)))
SLOPE, BIAS = {slope:.4f}, {bias:.4f}
#: confidence below which the reasoner abstains, whatever the picture
THRESHOLD = {threshold}
'''


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--distractors", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="use every Nth question, for a quick look")
    parser.add_argument("--kb", type=Path, help="keep the knowledge base and its vectors here")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    questions = load_questions(arguments.folder / "questions-train.json")[:: arguments.every]
    with fvqa_store(arguments.folder, arguments.distractors, arguments.kb) as (kb, stated):
        train, held = split_by_image(questions, 0.5, 0)
        sets = [collect(kb, stated, part) for part in (train, held)]
    weights = fit(sets[0])
    slope, bias = calibrate(sets[0], weights)
    report = "\n".join(
        f"{name}: {figures(part, weights)}" for name, part in zip(("fitted half", "other half"), sets, strict=True)
    )
    print(report)
    for name, value in sorted(zip(FEATURES, weights, strict=True), key=lambda x: -abs(x[1])):
        print(f"{name:35s}{value:8.3f}")
    if arguments.write:
        rows = "\n".join(f"        {w:.4f},  # {n}" for n, w in zip(FEATURES, weights, strict=True))
        text = TEMPLATE.format(report=report, weights=rows, slope=slope, bias=bias, threshold=0.2)
        Path("kgmm/reason/ranking/weights.py").write_text(text)


def collect(kb, stated, questions: list[FvqaQuestion]):  # type: ignore[no-untyped-def]
    """Return per question: features, which pairs are right in fact and answer, in answer alone, in fact alone."""
    out, start = [], time.time()
    for n, q in enumerate(questions):
        if n % 256 == 0:
            ahead = questions[n : n + 256]
            scenes = [a.scene() for a in ahead]
            prime_all(kb, ahead)
            print(f"{n}/{len(questions)} {time.time() - start:.0f} s", file=sys.stderr)
        scene = scenes[n % 256]
        task = Task(kb, scene, q.question)
        found = evidence(task)
        c, terms = found.candidates, kb.terms
        subjects, predicates, objects = (terms.names(c.subject), terms.names(c.predicate), terms.names(c.object))
        gold = set(q.facts)
        fact = np.array([bool(gold & stated(k).keys()) for k in zip(subjects, predicates, objects, strict=True)], bool)
        answers = [right_answer(label(t), q.answer) for pair in zip(subjects, objects, strict=True) for t in pair]
        out.append((found.features, np.repeat(fact, 2), np.array(answers, bool)))
    return out


def prime_all(kb, questions: list[FvqaQuestion]) -> None:  # type: ignore[no-untyped-def]
    from kgmm.encode import text_encoder

    prime(text_encoder("minilm"), [q.question for q in questions])


def fit(data, epochs: int = 40) -> np.ndarray:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    stacked = np.concatenate([x for x, _, _ in data])
    mean, deviation = stacked.mean(0), stacked.std(0) + 1e-6
    rows = [(torch.tensor((x - mean) / deviation), torch.tensor(f & a)) for x, f, a in data if (f & a).any()]
    net = torch.nn.Linear(len(mean), 1, bias=False)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02, weight_decay=1e-4)
    order = np.random.default_rng(0)
    for _ in range(epochs):
        for batch in np.array_split(order.permutation(len(rows)), max(len(rows) // 64, 1)):
            loss = sum(
                torch.logsumexp(s := net(x).squeeze(-1), 0) - torch.logsumexp(s[y], 0)
                for x, y in (rows[i] for i in batch)
            ) / len(batch)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    return (net.weight[0].detach().numpy() / deviation).astype(float)


def calibrate(data, weights: np.ndarray) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    best = [(x @ weights).max() for x, _, _ in data if len(x)]
    right = [bool(a[(x @ weights).argmax()]) for x, _, a in data if len(x)]
    line = LogisticRegression(C=1e6).fit(np.array(best)[:, None], np.array(right))
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def figures(data, weights: np.ndarray) -> str:  # type: ignore[no-untyped-def]
    best = [(x @ weights).argmax() if len(x) else None for x, _, _ in data]
    top1 = np.mean([b is not None and bool(a[b]) for b, (_, _, a) in zip(best, data, strict=True)])
    fact1 = np.mean([b is not None and bool(f[b]) for b, (_, f, _) in zip(best, data, strict=True)])
    reach = np.mean([bool((f & a).any()) for _, f, a in data])
    return f"top1 {top1:.3f}, fact1 {fact1:.3f}, gold pair among the candidates {reach:.3f} ({len(data)} questions)"


if __name__ == "__main__":
    main()

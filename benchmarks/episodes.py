"""Do KDMN's episodes matter where a question needs two facts? Accuracy beside ablations, and what interventions change.

Run: ``python benchmarks/episodes.py FVQA --distractors TRIPLES.tsv [--seeds 3] [--models NAME …] [--again]``. Questions are made
from the facts, parted by bridge: 7,500 to learn from, 1,000 that choose the epoch, 1,500 to test on; the three parts have no
fact and no bridge in common. ``made up`` are the test part's facts with each relation's objects exchanged, so that words
suggest no answer. Every finished run is a line of ``benchmarks/episodes.jsonl``; the tables of docs/models.md are written of
these.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from torch import Tensor

from kgmm.data.two_fact_words import Step
from kgmm.data.two_facts import TwoFactQuestion, parted, rewired, two_fact_questions
from kgmm.language.phrase import Triple
from kgmm.language.words import normal
from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.reason.kdmn.tensors import pack
from kgmm.train.fit import Recipe, fit
from kgmm.train.kdmn import CHAINED, LEAD, FvqaProblem, predict, ranked
from kgmm.train.memories import Example, FactBase, examples
from kgmm.train.two_facts import LEARN, TUNE, fvqa_facts, part_questions

RUNS = Path(__file__).with_name("episodes.jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "models.md"
TEST = 1500
#: name → settings of the network, and the weight of the first episode's teaching
MODELS: dict[str, tuple[dict[str, Any], float]] = {
    "two episodes": ({}, LEAD),
    "one episode": ({"episodes": 1}, LEAD),
    "mean pooling": ({"episodes": 0}, LEAD),
    "two episodes, first not taught": ({}, 0.0),
    "pointer reads facts, two episodes": ({"pointer": "facts"}, LEAD),
    "pointer reads facts, one episode": ({"pointer": "facts", "episodes": 1}, LEAD),
    "pointer reads facts, mean pooling": ({"pointer": "facts", "episodes": 0}, LEAD),
}
INTERVENTIONS = ("context zero", "state exchanged", "first look elsewhere", "memory exchanged")


@dataclass
class Asked:
    """Questions with memories, as they are made and as a network reads them."""

    made: list[TwoFactQuestion]
    part: list[Example]
    batch: FactBatch

    @classmethod
    def of(cls, base: FactBase, made: list[TwoFactQuestion], problem: FvqaProblem) -> Asked:
        part = examples([q.labelled(i, base.ids) for i, q in enumerate(made)], base, problem.config["memory"], 2)
        return cls(made, part, pack([e.memory for e in part], problem.words))

    def answers(self, model: torch.nn.Module, batch: FactBatch | None = None) -> list[str]:
        """Return the network's answers."""
        logits = predict(model, batch or self.batch)
        said = [ranked(e.texts, row)[:1] for e, row in zip(self.part, logits, strict=True)]
        return [best[0][0] if best else "" for best in said]

    def right(self, answers: list[str]) -> float:
        """Return the share of right answers."""
        return mean(a == e.answer for a, e in zip(answers, self.part, strict=True))


@contextmanager
def hooked(handles: list[Any]) -> Iterator[None]:
    """Take hooks out again."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def context_zero(model: KDMN) -> list[Any]:
    """Set what every episode carries on to zero."""
    if model.chain is not None:
        return [model.chain.context.register_forward_hook(lambda module, given, out: torch.zeros_like(out))]

    def emptied(module: torch.nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        state, context, query = given[0].chunk(3, -1)
        return (torch.cat([state, torch.zeros_like(context), query], -1),)

    return [update.register_forward_pre_hook(emptied) for update in model.memory.update]


def state_exchanged(model: KDMN) -> list[Any]:
    """Give each question the last state of the next one."""
    if model.chain is not None:
        return [
            model.pointer.register_forward_pre_hook(
                lambda module, given: (given[0].roll(1, 0), given[1].roll(1, 0), *given[2:])
            )
        ]
    return [model.memory.update[-1].register_forward_hook(lambda module, given, out: out.roll(1, 0))]


def first_elsewhere(model: KDMN) -> list[Any]:
    """Force the first episode's attention to rest on another fact than it does, one of the memory's first."""
    generator = torch.Generator().manual_seed(0)

    def forced(module: torch.nn.Module, given: Any, out: Tensor) -> Tensor:
        best = out.squeeze(-1).argmax(1)
        other = (best + torch.randint(1, 8, best.shape, generator=generator)) % 8
        return out.scatter_add(1, other[:, None, None], torch.full((len(out), 1, 1), 1e4))

    memory = model.chain if model.chain is not None else model.memory
    return [memory.score[0].register_forward_hook(forced)]


CHANGES: dict[str, Callable[[KDMN], list[Any]]] = {
    "context zero": context_zero,
    "state exchanged": state_exchanged,
    "first look elsewhere": first_elsewhere,
}


def intervened(model: KDMN, asked: Asked) -> dict[str, list[float]]:
    """Return of each intervention the share of answers it changes, and the accuracy that is left."""
    before, found = asked.answers(model), {}
    for name, change in CHANGES.items():
        if model.episodes > (name == "first look elsewhere"):
            with hooked(change(model)):
                after = asked.answers(model)
            found[name] = [mean(a != b for a, b in zip(before, after, strict=True)), asked.right(after)]
    b = asked.batch
    of_facts = {name: getattr(b, name).roll(1, 0) for name in ("steps", "sentences", "features", "ends", "mask")}
    rolled = FactBatch(**{**b.__dict__, **of_facts})
    texts = [asked.part[i - 1].texts for i in range(len(asked.part))]
    logits = predict(model, rolled)
    after = [r[0][0] if (r := ranked(t, row)) else "" for t, row in zip(texts, logits, strict=True)]
    found["memory exchanged"] = [mean(a != b for a, b in zip(before, after, strict=True)), asked.right(after)]
    return found


def reached(memory: list[Triple], names: set[str], step: Step | None) -> set[str]:
    """Return the ends that facts of a *step* (of any, if None) lead to from some names."""
    out = set()
    for s, relation, o in memory:
        for back, (start, end) in enumerate(((normal(s), normal(o)), (normal(o), normal(s)))):
            if start in names and (step is None or (relation == step.relation and bool(back) == step.back)):
                out.add(end)
    return out


def without_network(asked: Asked, train: list[Example]) -> dict[str, float]:
    """Return what guesses and chains reach: expected shares of right answers, relations and directions given."""
    usual = Counter(e.answer for e in train).most_common(1)[0][0]
    rows: dict[str, list[float]] = {}
    for q, e in zip(asked.made, asked.part, strict=True):
        memory, seen = e.memory.triples, {normal(n) for n in q.seen}
        ends = {normal(x) for s, _, o in memory for x in (s, o)}
        thing, (first, second) = {normal(q.thing)}, q.steps
        bridges = reached(memory, thing, first)
        any_second = reached(memory, ends - seen, second) - seen
        guesses = {
            "random": ends - seen,
            "first fact alone": reached(memory, bridges, None) - seen,
            "second relation alone": any_second,
            "any bridge of the thing": reached(memory, reached(memory, thing, None), second) - thing,
            "both facts (symbolic)": reached(memory, bridges, second) - thing,
        }
        for name, found in guesses.items():
            rows.setdefault(name, []).append((e.answer in found) / max(len(found), 1))
        rows.setdefault("most frequent answer", []).append(float(usual == e.answer))
        rows.setdefault("both facts in memory", []).append(float(e.bridge.any() and e.gold.any()))
    return {name: mean(values) for name, values in rows.items()}


def finished() -> dict[tuple[str, int], dict[str, Any]]:
    lines = RUNS.read_text().splitlines() if RUNS.exists() else ()
    return {(r["model"], r["seed"]): r for r in map(json.loads, (line for line in lines if line.endswith("}")))}


def run(name: str, seed: int, epochs: int, problem: FvqaProblem, tests: dict[str, Asked]) -> dict[str, Any]:
    """Train one network and measure it."""
    network, problem.lead = MODELS[name]
    sizes = {k: problem.config["network"][k] for k in ("words", "features", "end_features")}
    torch.manual_seed(seed)
    problem.model = model = KDMN(**{**sizes, **CHAINED, **network})
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        recipe = Recipe(epochs=epochs, batch=32, rate=3e-3, seed=seed, patience=epochs)
        tuned = fit(problem, out, recipe).figures["top1"]
    figures: dict[str, Any] = {"model": name, "seed": seed, "tune": tuned}
    figures |= {part: asked.right(asked.answers(model)) for part, asked in tests.items()}
    figures["changed"] = {k: [round(x, 4) for x in v] for k, v in intervened(model, tests["unseen"]).items()}
    figures["seconds"] = time.perf_counter() - start
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}


def shown(values: list[float]) -> str:
    return f"{mean(values):.3f} ± {stdev(values):.3f}" if len(values) > 1 else f"{values[0]:.3f}" if values else ""


def tables() -> tuple[str, str]:
    """Return the table of accuracies and the table of interventions."""
    runs = finished()
    first = ["| network | seeds | unseen stores | made-up facts | tuning |", "|---|---|---|---|---|"]
    then = [f"| network | {' | '.join(INTERVENTIONS)} |", "|---" * (1 + len(INTERVENTIONS)) + "|"]
    for name in MODELS:
        rows = [r for (model, _), r in sorted(runs.items(), key=lambda r: r[0][1]) if model == name]
        if not rows:
            continue
        cells = [shown([r[part] for r in rows]) for part in ("unseen", "made up", "tune")]
        first.append(f"| {name} | {len(rows)} | {' | '.join(cells)} |")
        changed = [[r["changed"].get(i) for r in rows] for i in INTERVENTIONS]
        said = [
            "" if None in c else f"{100 * mean(x[0] for x in c):.1f} % ({mean(x[1] for x in c):.3f})" for c in changed
        ]
        then.append(f"| {name} | {' | '.join(said)} |")
    for (name, _), r in runs.items():
        if name == "no network":
            first += [f"| {k} |  | {v:.3f} | {r['made up'][k]:.3f} |  |" for k, v in r["unseen"].items()]
    return "\n".join(first), "\n".join(then)


def written() -> None:
    """Write the tables into the page, between their markers."""
    text = PAGE.read_text()
    for marker, table in zip(("episodes", "interventions"), tables(), strict=True):
        start, end = f"<!-- table: python benchmarks/episodes.py, {marker} -->", f"<!-- end of {marker} -->"
        if start in text:
            head, rest = text.split(start)
            text = f"{head}{start}\n{table}\n{end}{rest.split(end)[1]}"
    PAGE.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fvqa", nargs="?", type=Path)
    parser.add_argument("--distractors", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--again", action="store_true", help="make runs again that there are")
    a = parser.parse_args()
    if a.fvqa is not None:
        facts = fvqa_facts(a.fvqa, a.distractors)
        learn, tune, test = (part_questions(facts, i, n) for i, n in enumerate((LEARN, TUNE, TEST)))
        data = (learn.base, learn.questions, tune.questions)
        problem = FvqaProblem(a.fvqa, hops=2, data=data, held_base=tune.base)
        new = rewired([facts[i] for i in parted(facts, 2)])
        made_up = FactBase(new, ["/".join(t) for t in new], test.base.encoder, test.base.cache)
        tests = {
            "unseen": Asked.of(test.base, test.made, problem),
            "made up": Asked.of(made_up, list(two_fact_questions(new, TEST)), problem),
        }
        kept = {} if a.again else finished()
        if ("no network", 0) not in kept:
            found = {part: without_network(asked, problem.train) for part, asked in tests.items()}
            note({"model": "no network", "seed": 0, "questions": {k: len(v.made) for k, v in tests.items()}, **found})
        main, more = ([n for n in a.models if (n in list(MODELS)[:3]) == first] for first in (True, False))
        for name, seed in [(n, s) for names in (main, more) for s in range(a.seeds) for n in names]:
            if (name, seed) not in kept:
                note(run(name, seed, a.epochs, problem, tests))
    written()
    print("\n\n".join(tables()))


def note(row: dict[str, Any]) -> None:
    with RUNS.open("a") as lines:
        lines.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()

"""What KDMN's accuracy on FVQA is worth, by kind of question: beside twins with an empty or another question's memory.

Other twins are trained without any fact, from question and picture or question alone (Goyal et al. 2017).
"""

import tempfile
from pathlib import Path
from typing import Any

import torch

from kgmm.data.fvqa import FvqaQuestion, load_questions, split_by_image
from kgmm.errors import BadInput
from kgmm.language.words import normal
from kgmm.nn.folders import read_folder
from kgmm.reason.kdmn.reasoner import load
from kgmm.reason.kdmn.tensors import pack
from kgmm.train.fit import Recipe, fit
from kgmm.train.kdmn import FvqaProblem, Split, predict, ranked
from kgmm.train.measures import by_kind, majority_hits
from kgmm.train.memories import Example, spoiled
from kgmm.train.twins import TwinProblem

TWIN = Recipe(epochs=20, batch=64, rate=2e-3, patience=20)  #: how the twins without facts are trained


def kind(q: FvqaQuestion) -> str:
    """Return a question's type: whether its answer is seen or the fact's other end, and where its fact comes from."""
    return f"{q.answer_source or '?'}, {q.kb_source or '?'}"


def answered_right(problem: FvqaProblem, part: list[Example]) -> list[bool]:
    """Tell for each question whether the network's first answer is right; with an empty memory it can only name one."""
    logits = predict(problem.model, pack([e.memory for e in part], problem.words))
    said = [ranked(e.texts, row, problem.answers)[:1] for e, row in zip(part, logits, strict=True)]
    return [[text for text, _ in best] == [e.answer] for e, best in zip(part, said, strict=True)]


def report(
    problem: FvqaProblem, train: list[FvqaQuestion], held: list[FvqaQuestion], seed: int = 0
) -> dict[str, dict[str, float]]:
    """Return top1 by kind of question on the held-out images, of the network and of all it is compared with.

    The twins without facts are trained here, in seconds; questions are in the order of ``problem.train`` and ``.held``.
    """
    kinds = [kind(q) for q in held]
    rows = {"kdmn": by_kind(kinds, answered_right(problem, problem.held))}
    for knowledge in ("empty", "shuffled"):
        spoilt = spoiled(problem.held, knowledge, seed)
        rows[f"kdmn, {knowledge}"] = by_kind(kinds, answered_right(problem, spoilt))
    every = torch.arange(len(problem.train))
    split = Split(train, every[every % 7 != 0], every[every % 7 == 0])
    for name, blind in (("no facts", False), ("blind", True)):
        twin = TwinProblem(problem, split, seed=seed, blind=blind)
        with tempfile.TemporaryDirectory() as out:
            fit(twin, out, TWIN)
        log_p, right, _ = twin.log_probabilities(*twin.held)
        rows[name] = by_kind(kinds, (log_p.argmax(1) == right).tolist())
    return {**rows, "majority": majority(train, held)}


def majority(train: list[FvqaQuestion], held: list[FvqaQuestion]) -> dict[str, float]:
    """Return the accuracy of the most frequent training answer of each kind of question."""
    known, asked = ([(kind(q), normal(q.answer)) for q in part] for part in (train, held))
    return by_kind([kind(q) for q in held], majority_hits(known, asked))


def evaluate_folder(data: Path, folder: Path, distractors: Path | None = None, seed: int = 0) -> dict[str, Any]:
    """Test a folder of ``kgmm train kdmn`` on the images of FVQA (*data*) held out in its training.

    Returns ``questions``, how many were asked, and ``models``, the rows of :func:`report`. BadInput if the folder holds
    no such network, or its prior reads a store.
    """
    with read_folder(folder, "a kdmn trained on FVQA", "kgmm train kdmn") as (config, known):
        network, memory, dev, split = (config[k] for k in ("network", "memory", "dev", "split"))
        answers = known.get("answers", [])
    if config.get("hops", 1) != 1:
        raise BadInput(folder, "it learned questions that need two facts, which FVQA has none of; see its README.md")
    trained = load(folder)
    if trained.prior is not None:
        raise BadInput(folder, f"its prior reads a store; test it with: kgmm eval fvqa {data} --reasoner {folder}")
    problem = FvqaProblem(data, distractors, split=split, dev=dev, limit=memory, network=network, vocabulary=answers)
    problem.model = trained.model
    train, held = split_by_image(load_questions(data / "questions-train.json"), dev, split)
    return {"data": "fvqa", "questions": len(held), "models": report(problem, train, held, seed)}

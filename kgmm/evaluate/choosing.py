"""Adapters and their options chosen by scores that read no target label; what each choice comes to, and what the best would."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kgmm.data.domains import Domain, check_pair
from kgmm.errors import BadInput, KgmmError
from kgmm.progress import Progress, silent
from kgmm.transfer import create

ALONE = "source only"
#: what is chosen among: name -> method and options; networks train a third of their usual time
CANDIDATES: dict[str, tuple[str, dict[str, Any]]] = {
    ALONE: ("coral", {"weight": 0}),
    "coral": ("coral", {}),
    "coral C=0.1": ("coral", {"C": 0.1}),
    "msda": ("msda", {}),
    "msda noise=0.5": ("msda", {"noise": 0.5}),
    "ddc": ("ddc", {"epochs": 10}),
    "dann": ("dann", {"epochs": 10}),
    "jan": ("jan", {"epochs": 10}),
    "dan": ("dan", {"epochs": 10}),
}
SHARE = 0.3  #: of the source, which scores are measured on and nothing learns from


def choose(
    pairs: Sequence[tuple[Domain, Domain]],
    candidates: Mapping[str, tuple[str, dict[str, Any]]] = CANDIDATES,
    seeds: int = 3,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Fit all candidates on each pair of domains, let each scorer choose one, and compare with the target's labels.

    Candidates learn from 70 % of the source's labels; scorers read the rest and the target's rows.

    Returns:
        ``scorers``: of each the mean ``accuracy`` of what it chose, by pair (``accuracies``) and how often what was ``picked``;
        ``candidates``: the mean accuracy of each; ``source_only``; ``any``, the mean of all candidates, a choice by chance;
        ``oracle``, of the best by the target's labels, which no one has; ``best_candidate``, of the best single one by them.

    Raises:
        BadInput: if two domains cannot be compared, or a source has fewer than 20 rows.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> y = np.repeat([0, 1], 30)
        >>> one = Domain("one", rng.normal(size=(60, 4)) + 3 * y[:, None], y)
        >>> found = choose([(one, one)], {"source only": ("coral", {"weight": 0}), "coral": ("coral", {})}, seeds=1)
        >>> found["oracle"] >= found["scorers"]["circular"]["accuracy"]
        True
    """
    if not candidates or seeds < 1 or not pairs:
        raise KgmmError("choose: give pairs, candidates and at least one seed")
    right: dict[str, list[float]] = {name: [] for name in candidates}
    picked: dict[str, list[str]] = {name: [] for name in _scorers(0)}
    for at, (source, target) in enumerate(pairs):
        check_pair(source, target)
        if len(source.labels) < 20:
            raise BadInput(source.name, f"{len(source.labels)} rows; twenty are needed to choose by some of them")
        for seed in range(seeds):
            scores = _measured(source, target, candidates, seed, right)
            for name, values in scores.items():
                picked[name].append(max(candidates, key=lambda c: (values[c], -list(candidates).index(c))))
            progress(at * seeds + seed + 1, len(pairs) * seeds, f"{source.name} to {target.name}")
    table = np.array([right[name] for name in candidates])
    found: dict[str, Any] = {
        "pairs": [[source.name, target.name] for source, target in pairs],
        "seeds": seeds,
        "candidates": {name: float(np.mean(values)) for name, values in right.items()},
        "any": float(table.mean()),
        "best_candidate": float(table.mean(axis=1).max()),
        "oracle": float(table.max(axis=0).mean()),
        "scorers": {},
    }
    if ALONE in candidates:
        found["source_only"] = found["candidates"][ALONE]
    for name, choices in picked.items():
        came = np.array([right[choice][run] for run, choice in enumerate(choices)])
        by_pair = came.reshape(len(pairs), seeds).mean(axis=1).tolist()
        found["scorers"][name] = {
            "accuracy": float(came.mean()),
            "accuracies": by_pair,
            "picked": dict(Counter(choices).most_common()),
        }
    return found


def _measured(
    source: Domain,
    target: Domain,
    candidates: Mapping[str, tuple[str, dict[str, Any]]],
    seed: int,
    right: dict[str, list[float]],
) -> dict[str, dict[str, float]]:
    """Return each scorer's score of each candidate; add what is right of the target to *right*."""
    classes, coded = np.unique(source.labels, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(coded))
    held, seen = np.split(order, [max(6, round(SHARE * len(order)))])
    if len(np.unique(coded[seen])) < 2:
        raise BadInput(source.name, "has too few rows of a second class to choose by some of them")
    kept, coded_seen = np.unique(coded[seen], return_inverse=True)
    hidden = np.full(len(target.features), -1)
    rows = np.vstack([source.features[seen], target.features])
    domain = np.repeat([1, -1], [len(seen), len(hidden)])
    judged = np.vstack([source.features[held], target.features])
    held_labels = np.array([{c: i for i, c in enumerate(kept)}.get(c, len(kept)) for c in coded[held]])
    judged_labels = np.concatenate([held_labels, hidden])
    judged_domain = np.repeat([1, -1], [len(held), len(hidden)])
    scores: dict[str, dict[str, float]] = {}
    for name, (method, options) in candidates.items():
        adapter = create(method, seed=seed, **options)
        adapter.fit(rows, np.concatenate([coded_seen, hidden]), sample_domain=domain)
        right[name].append(float(np.mean(classes[kept][adapter.predict(target.features)] == target.labels)))
        for scorer, score in _scorers(seed).items():
            scores.setdefault(scorer, {})[name] = score(adapter, judged, judged_labels, judged_domain)
    return scores


def _scorers(seed: int) -> dict[str, Any]:
    from kgmm.transfer import scorers

    return {
        "entropy": scorers.PredictionEntropy(),
        "importance": scorers.ImportanceWeighted(),
        "dev": scorers.DeepEmbeddedValidation(seed),
        "circular": scorers.CircularValidation(),
    }


def table(found: Mapping[str, Any]) -> str:
    """Return what :func:`choose` found as lines of text."""
    lines = [f"{'chosen by':14} accuracy  picked"]
    for name, row in found["scorers"].items():
        picked = ", ".join(f"{choice} {count}" for choice, count in row["picked"].items())
        lines.append(f"{name:14} {row['accuracy']:8.3f}  {picked}")
    bounds = {"source only": "source_only", "by chance": "any", "best of all": "best_candidate", "oracle": "oracle"}
    lines += [f"{said:14} {found[key]:8.3f}" for said, key in bounds.items() if key in found]
    lines += ["", *(f"{name:16} {value:6.3f}" for name, value in found["candidates"].items())]
    return "\n".join(lines)

"""Film summarizers on invented films of held-out seeds: each beside the simplest, random scores, and people.

    python -m benchmarks.films [--films 12] [--weights DIR] [--json]

Draws two minutes and more of film a seed (pixels and subtitles), looks at them, and judges every method by what is
planted. DIR holds folders skim-METHOD, as ``kgmm train skim`` writes them; by default what ships.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.data.noted_films import NotedFilm, read_noted
from kgmm.encode.image import image_encoder
from kgmm.evaluate.film_methods import How, judge_noted, judge_queries
from kgmm.opening import open_bundled
from kgmm.stories.footage.footage import Footage, look_at
from kgmm.stories.skimming.bags import located
from kgmm.stories.skimming.judging import judge, methods
from kgmm.stories.skimming.methods.keyshots import _segments, same
from kgmm.stories.skimming.request import Request
from kgmm.train.lessons import QUERIED, planted

PLAIN = ("f_mean", "f_max", "tau", "rho", "thumbnail_first")
ASKED = ("f_mean", "asked_f", "matching_f", "tau")


def main() -> None:
    """Print the figures of all methods."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--films", type=int, default=12)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--kb", type=Path, help="keep the bundled knowledge here")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    films = read_noted(planted(asked.films, held=True))
    with open_bundled(*([asked.kb] if asked.kb else [])) as kb:
        found = figures(films, asked.weights, kb)
    if asked.json:
        print(json.dumps(found, indent=1))
        return
    _show(found)


def figures(films: Sequence[NotedFilm], weights: Path | None, kb: Any) -> dict[str, Any]:
    """Return the figures of every method, and what each costs."""
    looked = [look_at(film.video, film.subtitles) for film in films]

    def how(method: str, **more: Any) -> How:
        place = weights / f"skim-{method}" if weights else None
        return How(place if place and place.is_dir() else None, kb, **more)

    found: dict[str, Any] = {"films": len(films), "minutes": round(sum(one.seconds for one in looked) / 60, 1)}
    found["plain"] = {m: judge_noted(films, m, how(m)) for m in methods() if m not in QUERIED}
    found["plain"]["archetypal, no title"] = judge_noted(films, "archetypal", how("archetypal", title=False))
    found["asked"] = {m: judge_noted(films, m, how(m)) for m in QUERIED}
    for method in ("seqdpp", "clusters", "uniform"):
        found["asked"][f"{method}, not told"] = judge_queries(films, looked, method, how(method), blind=True)
    found["keyshots"] = tags_and_clusters(films, looked)
    found["cost"] = {m: cost(films[0], looked[0], m, how(m)) for m in methods()}
    return found


def tags_and_clusters(films: Sequence[NotedFilm], looked: Sequence[Footage]) -> dict[str, float]:
    """Return how well key shots locate tags (AUC over the segments of films that have it) and how pure clusters are.

    Simplest: ``auc_by_concepts``, the score of the concept of the tag's name where the perceiver knows one (others: .5).
    A cluster is pure by the share of its largest group of segments of one subject in one setting; by scene also given.
    """
    rows, film_of = _segments(tuple(looked))
    shots = [_shots(film, one) for film, one in zip(films, looked, strict=True)]
    aucs, plain = [], []
    for tag in sorted({tag for film in films for tag in film.tags}):
        has = np.array([tag in film.tags for film in films])
        if has.all():
            continue
        values = located(rows, film_of, has)
        for number in np.flatnonzero(has):
            film, footage = films[int(number)], looked[int(number)]
            shown = np.array([tag in film.shots[i].concepts for i in shots[number]])
            if not 0 < shown.sum() < len(shown):
                continue
            aucs.append(auc(values[film_of == number], shown))
            known = tag in footage.concepts
            plain.append(
                auc(footage.of_segments(footage.scores.T)[footage.concepts.index(tag)], shown) if known else 0.5
            )
    clusters = same(rows[:, : looked[0].looks.shape[1]])  # near-duplicates look the same, whatever is said
    labels = [
        [(films[n].shots[i].concepts or (films[n].shots[i].scene,), films[n].shots[i].scene) for i in some]
        for n, some in enumerate(shots)
    ]
    flat = [label for some in labels for label in some]
    return {
        "auc": float(np.mean(aucs)),
        "auc_least": float(np.min(aucs)),
        "auc_by_concepts": float(np.mean(plain)),
        "purity": purity(clusters, [str(sorted(set(concepts) - {"spark"})) for concepts, _ in flat]),
        "purity_by_scene": purity(clusters, [scene for _, scene in flat]),
        "near_duplicates_together": _together(clusters, [scene for _, scene in flat]),
        "clusters": int(clusters.max()) + 1,
        "segments": len(clusters),
    }


def _shots(film: NotedFilm, footage: Footage) -> list[int]:
    """Return the noted shot of each segment."""
    of = film.shot_at(footage)
    return [int(np.bincount(of[a:b]).argmax()) for a, b in zip(footage.edges[:-1], footage.edges[1:], strict=True)]


def auc(scores: np.ndarray, shown: np.ndarray) -> float:
    """Return the share of pairs of a segment that shows it and one that does not in which the former has more."""
    apart = scores[shown][:, None] - scores[~shown][None]
    return float(((apart > 0) + 0.5 * (apart == 0)).mean())


def purity(clusters: np.ndarray, labels: Sequence[str]) -> float:
    """Return the share of segments, in clusters of two and more, that have their cluster's commonest label."""
    right = total = 0
    for cluster in np.unique(clusters):
        inside = [labels[int(i)] for i in np.flatnonzero(clusters == cluster)]
        if len(inside) > 1:
            right, total = right + max(map(inside.count, inside)), total + len(inside)
    return right / max(total, 1)


def _together(clusters: np.ndarray, scenes: Sequence[str]) -> float:
    """Return the share of pairs of takes of one shared scene that are in one cluster."""
    shared = [i for i, scene in enumerate(scenes) if scene.startswith("shared/")]
    pairs = [(a, b) for a in shared for b in shared if a < b and scenes[a] == scenes[b]]
    return float(np.mean([clusters[a] == clusters[b] for a, b in pairs])) if pairs else float("nan")


def cost(film: NotedFilm, footage: Footage, method: str, how: How) -> float:
    """Return CPU seconds a second of film, from cached features, the best of three."""
    from kgmm.stories.skimming.judging import METHODS

    uses = METHODS.module(method.replace("-", "_")).USES
    given: dict[str, Any] = {"kb": how.kb, "weights": how.weights if "weights" in uses else None}
    if method in QUERIED:
        given["query"] = next(iter(film.queries))
    elif "title" in uses:
        given["title"] = film.title
    if "title_images" in uses:
        given["title_images"] = image_encoder().encode_images(list(film.title_images))
    took = []
    for _ in range(3):
        start = time.process_time()
        judge(method, Request((footage,), **given))
        took.append(time.process_time() - start)
    return min(took) / footage.seconds


def _show(found: dict[str, Any]) -> None:
    print(f"{found['films']} films, {found['minutes']} minutes")
    for part, names in (("plain", PLAIN), ("asked", ASKED)):
        rows = found[part]
        first = next(iter(rows.values()))
        print(f"\n{part:26}" + "".join(f"{name:>17}" for name in names))
        for method, row in rows.items():
            print(f"{method:26}" + "".join(_told(row.get(name)) for name in names))
        print(f"{'random scores':26}" + "".join(_told(first.get(_random(name))) for name in names))
        people = {"f_mean": "mean_of_others_f", "tau": "human_tau", "rho": "human_rho"}
        print(f"{'people':26}" + "".join(_told(first.get(people.get(n, f"people_{n}"))) for n in names))
    print("\nkey shots: " + ", ".join(f"{name} {value:.3f}" for name, value in found["keyshots"].items()))
    print(
        "\nCPU seconds a second of film, from features: " + ", ".join(f"{m} {v:.4f}" for m, v in found["cost"].items())
    )


def _random(name: str) -> str:
    return {"f_mean": "random_f", "f_max": "random_f_max"}.get(name, f"random_{name}")


def _told(value: float | None) -> str:
    return f"{'–':>17}" if value is None else f"{value:17.3f}"


if __name__ == "__main__":
    main()

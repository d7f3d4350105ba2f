"""Fusion gains where both modalities know something, keeps probabilities, and says what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from kgmm.data.cross_modal import CrossModal
from kgmm.errors import KgmmError
from kgmm.evaluate.fusion import CLASSIFIERS, accuracy, cross_modal_map, evaluate, table
from kgmm.evaluate.hashing import average_precision
from kgmm.fusion.levels import LEVELS, RULES, FusionClassifier
from kgmm.fusion.projections import SPACES

RNG = np.random.default_rng(0)
# a shared latent of two coins: the picture shows the first, the text the second; the category is the pair
COINS = RNG.integers(0, 2, (600, 2))
KIND = COINS @ [2, 1]
IMAGE = RNG.normal(size=(600, 6)) + 4 * COINS[:, :1]
TEXT = RNG.normal(size=(600, 4)) - 4 * COINS[:, 1:]
TRAIN, TEST = slice(0, 400), slice(400, 600)
QUICK = {"epochs": 20}


def right(level, rule="product", **options):
    model = FusionClassifier(level, rule, **{**QUICK, **options}).fit(IMAGE[TRAIN], TEXT[TRAIN], KIND[TRAIN])
    return accuracy(model.predict_proba(IMAGE[TEST], TEXT[TEST]), np.eye(4)[KIND[TEST]])


@pytest.mark.parametrize("level", ["image", "text"])
def test_one_modality_knows_half_of_the_answer(level) -> None:
    assert 0.35 < right(level) < 0.65


@pytest.mark.parametrize(
    ("level", "rule"), [("early", "product"), ("intermediate", "product"), *(("late", r) for r in RULES)]
)
def test_every_fusion_knows_it_all(level, rule) -> None:
    assert right(level, rule) > 0.95


def test_the_product_rule_is_bayes_where_views_are_independent_given_the_category() -> None:
    """p(k | x, y) ∝ p(k | x) p(k | y) / p(k), worked out by hand on made posteriors."""
    model = FusionClassifier("late", "product", **QUICK).fit(IMAGE, TEXT, KIND)
    one, two = model.predict_proba(IMAGE[:50], None), model.predict_proba(None, TEXT[:50])
    prior = (np.bincount(KIND) + 1) / (len(KIND) + 4)
    for i, found in enumerate(model.predict_proba(IMAGE[:50], TEXT[:50])):
        literal = [a * b / p for a, b, p in zip(one[i], two[i], prior, strict=True)]
        assert found == pytest.approx(np.array(literal) / sum(literal), abs=1e-6)


@pytest.mark.parametrize("level", LEVELS)
def test_posteriors_are_probabilities_and_the_seed_fixes_them(level) -> None:
    both = [
        FusionClassifier(level, seed=5, epochs=2).fit(IMAGE, TEXT, KIND).predict_proba(IMAGE[:20], TEXT[:20])
        for _ in range(2)
    ]
    assert (both[0] == both[1]).all()
    assert both[0].min() >= 0 and both[0].sum(1) == pytest.approx(1)


def test_several_labels_an_item_share_its_probability() -> None:
    labels = np.hstack([COINS, 1 - COINS])  # two labels each
    model = FusionClassifier("early", **QUICK).fit(IMAGE, TEXT, labels)
    mass = (model.predict_proba(IMAGE, TEXT) * labels).sum(1)
    assert mass.mean() > 0.9


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("image", "text", "labels", "word"),
    [
        (np.where(np.arange(6) == 3, np.nan, IMAGE), TEXT, KIND, "nan"),
        (np.ones_like(IMAGE), TEXT, KIND, "constant"),
        (IMAGE, None, KIND, "text"),
        (IMAGE, TEXT[:-1], KIND, "pair"),
        (IMAGE, TEXT, KIND[:-1], "labels"),
        (IMAGE, TEXT, np.zeros(600, int), "one class"),
    ],
    ids=["NaN", "constant", "missing", "unpaired", "labels too few", "one class"],
)
def test_what_cannot_be_fitted_is_refused_in_words(level, image, text, labels, word) -> None:
    with pytest.raises(KgmmError, match=word):
        FusionClassifier(level).fit(image, text, labels)


def test_wrong_use_is_refused_in_words() -> None:
    with pytest.raises(KgmmError, match="fit first"):
        FusionClassifier().predict_proba(IMAGE, TEXT)
    with pytest.raises(KgmmError, match="middle"):
        FusionClassifier("middle")  # type: ignore[arg-type]
    with pytest.raises(KgmmError, match="vote"):
        FusionClassifier("late", "vote")  # type: ignore[arg-type]
    early = FusionClassifier("early", epochs=1).fit(IMAGE, TEXT, KIND)
    with pytest.raises(KgmmError, match="image features are missing"):
        early.predict_proba(None, TEXT)
    with pytest.raises(KgmmError, match="fitted on 4"):
        early.predict_proba(IMAGE, IMAGE)
    with pytest.raises(KgmmError, match="do not pair up"):
        early.predict_proba(IMAGE[:3], TEXT[:4])
    late = FusionClassifier("late", epochs=1).fit(IMAGE, TEXT, KIND)
    with pytest.raises(KgmmError, match="missing"):
        late.predict_proba(None, None)
    with pytest.raises(KgmmError, match="seed"):
        evaluate(small(), seeds=[])


def small():
    labels = np.eye(4)[KIND]
    parts = (IMAGE[:80], TEXT[:80], IMAGE[80:120], TEXT[80:120], labels[:80], labels[80:120])
    return CrossModal(*(np.asarray(part, float) for part in parts))


def test_search_ranks_by_cosine_as_loops_do() -> None:
    data = small()
    found = cross_modal_map(lambda x, _: x[:, :4], data)["image_to_text"]["map"]
    values = []
    for x, relevant in zip(data.image_test[:, :4], data.relevant, strict=True):
        cosines = [float(x @ y) / np.linalg.norm(x) / np.linalg.norm(y) for y in data.text_train]
        order = sorted(range(80), key=lambda j: -cosines[j])
        values.append(average_precision(relevant[order][None])[0])
    assert found == pytest.approx(np.mean(values))


def test_one_table_holds_every_row() -> None:
    found = evaluate(small(), seeds=[0], components=2)
    assert [row["name"] for row in found["rows"]] == [name for name, *_ in CLASSIFIERS] + [s.name for s in SPACES]
    lines = table(found).splitlines()
    assert len(lines) == len(found["rows"]) + 2
    assert {line.count("|") for line in lines} == {7}


def test_the_command_prints_the_table_of_a_folder_in_the_layout_of_wiki(shell, tmp_path: Path) -> None:
    data = small()
    savemat(
        tmp_path / "features.mat",
        {"I_tr": data.image_train, "T_tr": data.text_train, "I_te": data.image_test, "T_te": data.text_test},
    )
    for part, kinds in (("train", KIND[:80]), ("test", KIND[80:120])):
        (tmp_path / f"{part}set.list").write_text("".join(f"t{i}\tp{i}\t{k}\n" for i, k in enumerate(kinds)))
    ran = shell("eval", "fusion", tmp_path, "--seeds", "1", "--components", "2")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("| method | accuracy |") and "| kernel-cca | " in ran.out


@pytest.mark.slow
def test_the_command_on_wiki_finds_what_is_known_of_it(shell, shared_data: Path) -> None:
    """Texts tell more than pictures there; semantic matching beats matching by correlation (Rasiwasia 2010)."""
    ran = shell("eval", "fusion", shared_data / "wiki", "--seeds", "1", "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert (found["train"], found["test"], found["categories"]) == (2173, 693, 10)
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["text alone"]["accuracy"] > 2 * rows["image alone"]["accuracy"]
    best = max(rows[name]["accuracy"] for name in rows if "fusion" in name)
    assert best > rows["text alone"]["accuracy"]
    semantic = rows["semantic (late) fusion, product"]["image_to_text"]["map"]
    assert semantic > rows["cca"]["image_to_text"]["map"] > 0.2


def test_a_folder_that_is_not_there_is_named(shell, tmp_path: Path) -> None:
    ran = shell("eval", "fusion", tmp_path / "nothing")
    assert ran.code == 1 and "nothing" in ran.err and not ran.out

"""At the edges every method gives a defined result or says in words what is wrong."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from kgmm.errors import KgmmError
from kgmm.hashing import create, load, methods

RNG = np.random.default_rng(0)
N = 60
KIND = np.arange(N) % 3
IMAGE = RNG.normal(size=(3, 8))[KIND] * 2 + RNG.normal(size=(N, 8))
TEXT = RNG.normal(size=(3, 5))[KIND] * 2 + RNG.normal(size=(N, 5))


def quick(name: str, bits: int = 8):
    """A method that spends little time where it would take many rounds."""
    method = create(name, bits=bits)
    short = {"epochs": 2, "pairs": 500, "iterations": 10}
    return create(name, bits=bits, **{k: v for k, v in short.items() if k in method.DEFAULTS})


@pytest.fixture(scope="module")
def fitted():
    """Every method, fitted once."""
    return {name: quick(name).fit(IMAGE, TEXT, KIND) for name in methods()}


def bits_apart(a, b):
    return np.unpackbits(a ^ b, axis=1).sum(1)


@pytest.mark.parametrize("name", methods())
@pytest.mark.parametrize("missing", ["image", "text"])
def test_a_modality_that_is_none_is_named(name: str, missing: str) -> None:
    with pytest.raises(KgmmError, match=f"{name}: the {missing} features are missing"):
        quick(name).fit(None if missing == "image" else IMAGE, None if missing == "text" else TEXT, KIND)


@pytest.mark.parametrize("name", methods())
def test_some_constant_features_do_no_harm(name: str) -> None:
    image = np.hstack([IMAGE, np.full((N, 2), 7.0)])
    topics = np.hstack([TEXT, np.zeros((N, 1))])
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # no division by a spread of zero
        hasher = quick(name).fit(image, topics, KIND)
    for x, kind in ((image, "image"), (topics, "text")):
        assert np.isfinite(hasher.scores(x, kind)).all()
        assert len(np.unique(hasher.encode(x, kind), axis=0)) > 1


@pytest.mark.parametrize("name", methods())
def test_features_that_depend_on_each_other_give_finite_scores(name: str) -> None:
    topics = np.exp(TEXT) / np.exp(TEXT).sum(1, keepdims=True)  # rows sum to one
    twice = np.hstack([IMAGE, IMAGE])
    hasher = quick(name).fit(twice, topics, KIND)
    assert np.isfinite(hasher.scores(twice, "image")).all() and np.isfinite(hasher.scores(topics, "text")).all()


@pytest.mark.parametrize("name", methods())
def test_infinite_values_are_refused_with_their_place(name: str) -> None:
    broken = TEXT.copy()
    broken[17, 2] = np.inf
    with pytest.raises(KgmmError, match=f"{name}.*text.*row 17, column 2 is inf"):
        quick(name).fit(IMAGE, broken, KIND)


@pytest.mark.parametrize("name", methods())
def test_nan_in_a_query_is_refused_with_its_place(name: str, fitted) -> None:
    broken = IMAGE.copy()
    broken[5, 1] = np.nan
    with pytest.raises(KgmmError, match=f"{name}.*image.*row 5, column 1 is nan"):
        fitted[name].encode(broken, "image")


@pytest.mark.parametrize("name", methods())
def test_a_query_of_another_width_or_modality_is_refused(name: str, fitted) -> None:
    with pytest.raises(KgmmError, match=f"{name}.*8 columns.*fitted on 5"):
        fitted[name].encode(IMAGE, "text")
    with pytest.raises(KgmmError, match="modality must be 'image' or 'text'"):
        fitted[name].encode(IMAGE, "sound")
    with pytest.raises(KgmmError, match="fit first"):
        create(name, bits=8).encode(IMAGE, "image")


@pytest.mark.parametrize("name", methods())
def test_no_queries_have_no_codes(name: str, fitted) -> None:
    found = fitted[name].encode(np.empty((0, 8)), "image")
    assert found.shape == (0, 1) and found.dtype == np.uint8


@pytest.mark.parametrize("name", methods())
def test_an_item_is_coded_alone_as_among_others(name: str, fitted) -> None:
    whole = fitted[name].encode(IMAGE, "image")
    alone = np.vstack([fitted[name].encode(IMAGE[i : i + 1], "image") for i in range(10)])
    assert bits_apart(whole[:10], alone).sum() == 0


@pytest.mark.parametrize("name", methods())
def test_single_precision_gives_the_same_codes_but_for_ties(name: str, fitted) -> None:
    double, single = (fitted[name].encode(IMAGE.astype(t), "image") for t in (np.float64, np.float32))
    assert bits_apart(double, single).mean() < 0.1


@pytest.mark.parametrize("name", methods())
def test_a_single_label_may_come_as_numbers_or_as_indicators(name: str, fitted) -> None:
    indicator = quick(name).fit(IMAGE, TEXT, np.eye(3)[KIND])
    words = quick(name).fit(IMAGE, TEXT, np.array(["art", "music", "sport"])[KIND])
    for other in (indicator, words):
        assert (other.encode(IMAGE, "image") == fitted[name].encode(IMAGE, "image")).all()


@pytest.mark.parametrize("name", methods())
def test_several_labels_and_items_without_any_are_coded(name: str) -> None:
    labels = np.eye(3)[KIND] + np.eye(3)[(KIND + (np.arange(N) % 2)) % 3]
    labels[:4] = 0
    hasher = quick(name).fit(IMAGE, TEXT, labels)
    assert np.isfinite(hasher.scores(TEXT, "text")).all()


@pytest.mark.parametrize("name", methods())
def test_a_label_of_its_own_for_every_item_is_coded(name: str) -> None:
    hasher = quick(name).fit(IMAGE, TEXT, np.arange(N))
    assert np.isfinite(hasher.scores(TEXT, "text")).all()


@pytest.mark.parametrize("name", methods())
def test_labels_that_do_not_fit_are_refused(name: str) -> None:
    for labels, word in ((KIND[:-1], "59 labels for 60 pairs"), (np.where(KIND > 1, np.nan, 0.0), "nan")):
        with pytest.raises(KgmmError, match=word):
            quick(name).fit(IMAGE, TEXT, labels)


@pytest.mark.parametrize("name", [n for n in methods() if quick(n).supervised])
def test_a_supervised_method_asks_for_labels_and_for_two_classes(name: str) -> None:
    with pytest.raises(KgmmError, match="give labels="):
        quick(name).fit(IMAGE, TEXT)
    with pytest.raises(KgmmError, match="one class"):
        quick(name).fit(IMAGE, TEXT, np.zeros(N, int))


@pytest.mark.parametrize("name", [n for n in methods() if not quick(n).supervised])
def test_an_unsupervised_method_does_without_labels(name: str) -> None:
    assert quick(name).fit(IMAGE, TEXT).encode(TEXT, "text").shape == (N, 1)


@pytest.mark.parametrize("name", methods())
def test_as_many_items_as_bits_are_enough_and_one_less_is_not(name: str) -> None:
    rows = slice(0, 16)
    hasher = quick(name, bits=16).fit(IMAGE[rows], TEXT[rows], KIND[rows])
    assert np.isfinite(hasher.scores(IMAGE, "image")).all()
    with pytest.raises(KgmmError, match="15 pairs cannot fix 16 bits"):
        quick(name, bits=16).fit(IMAGE[:15], TEXT[:15], KIND[:15])


@pytest.mark.parametrize("name", methods())
@pytest.mark.parametrize("bits", [1, 3])
def test_bits_need_not_fill_a_byte(name: str, bits: int) -> None:
    codes = quick(name, bits=bits).fit(IMAGE, TEXT, KIND).encode(IMAGE, "image")
    assert codes.shape == (N, 1)
    assert not np.unpackbits(codes, axis=1)[:, bits:].any()


@pytest.mark.parametrize("name", methods())
def test_one_feature_a_modality_is_enough(name: str) -> None:
    hasher = quick(name, bits=2).fit(IMAGE[:, :1], TEXT[:, :1], KIND)
    assert np.isfinite(hasher.scores(IMAGE[:, :1], "image")).all()


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        (3, "must be categories"),
        ([[1], [1, 2]] * (N // 2), "lists of different lengths"),
        ([{1}, {2}] * (N // 2), "all numbers or all words"),
        ([None, "art"] * (N // 2), "all numbers or all words"),
        (np.array([["art", "music"]] * N), "indicators"),
    ],
)
def test_labels_of_no_known_form_are_refused(labels, word: str) -> None:
    with pytest.raises(KgmmError, match=word):
        create("scm-seq", bits=8).fit(IMAGE, TEXT, labels)


def test_a_column_of_categories_is_no_indicator_of_one_category() -> None:
    row, column = (create("scm-seq", bits=8).fit(IMAGE, TEXT, k).encode(TEXT, "text") for k in (KIND, KIND[:, None]))
    assert (row == column).all()


@pytest.mark.parametrize("features", [IMAGE + 1j, csr_matrix(IMAGE), [["one"] * 8] * N])
def test_what_is_no_dense_matrix_of_numbers_is_refused(features) -> None:
    with pytest.raises(KgmmError, match=r"image features: (a sparse matrix|not a matrix of numbers)"):
        create("cvh", bits=8).fit(features, TEXT)


@pytest.mark.parametrize("seed", [-1, 1.5, None, True, 2**70])
def test_a_seed_that_is_no_whole_number_is_refused(seed) -> None:
    with pytest.raises(KgmmError, match="seed must be a whole number"):
        create("dcmh", bits=8, seed=seed)


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("cvh", {"ridge": "much"}, "ridge must be a number"),
        ("cvh", {"ridge": -1.0}, "ridge must be at least 0"),
        ("cvh", {"ridge": float("nan")}, "ridge must be at least 0"),
        ("dcmh", {"epochs": 1.5}, "epochs must be a whole number"),
        ("dcmh", {"batch": 0}, "batch must be at least 1"),
        ("dmhor", {"hard": 1}, "hard must be true or false"),
        ("ssah", {"likelihood": 1}, "likelihood must be a word"),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused(name: str, options: dict, word: str) -> None:
    with pytest.raises(KgmmError, match=word):
        create(name, bits=8, **options)


def test_a_number_of_numpys_is_an_option_and_can_be_saved(tmp_path: Path) -> None:
    hasher = create("cvh", bits=np.int64(8), ridge=np.float32(1e-3)).fit(IMAGE, TEXT)
    hasher.save(tmp_path / "model.v2")
    assert (load(tmp_path / "model.v2").encode(TEXT, "text") == hasher.encode(TEXT, "text")).all()


def test_scores_of_another_width_are_refused_as_codes_are(fitted) -> None:
    with pytest.raises(KgmmError, match=r"3 columns.*fitted on 8"):
        fitted["cvh"].scores(IMAGE[:, :3], "image")


@pytest.mark.parametrize("name", methods())
def test_a_joint_code_comes_from_methods_that_say_so(name: str, fitted) -> None:
    assert (fitted[name].unified is not None) == fitted[name].has_unified


@pytest.mark.parametrize("bits", [0, -1, 2.5, True, "8"])
def test_a_length_that_is_none_is_refused(bits) -> None:
    with pytest.raises(KgmmError, match="bits must be a positive whole number"):
        create("cvh", bits=bits)


def test_fitting_again_forgets_the_first_data() -> None:
    hasher = create("cvh", bits=4).fit(IMAGE, TEXT)
    hasher.fit(IMAGE[:, :4], TEXT[:, :3])
    assert (
        hasher.encode(IMAGE[:, :4], "image")
        == create("cvh", bits=4).fit(IMAGE[:, :4], TEXT[:, :3]).encode(IMAGE[:, :4], "image")
    ).all()

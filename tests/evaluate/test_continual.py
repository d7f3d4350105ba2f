"""Measures of forgetting by hand; streams killed and resumed; what is forgotten on digits and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kgmm.data.domains import Domain
from kgmm.data.streams import each, permuted, read_pictures, read_stream, split
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.continual import average_accuracy, backward_transfer, forward_transfer, run
from kgmm.train.continual import methods, network
from tests.evaluate.killing import killed_at_third

R = np.array([[0.9, 0.4, 0.2], [0.7, 0.8, 0.5], [0.6, 0.6, 0.7]])


def made(classes: int = 4, each_class: int = 32) -> Domain:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(classes), each_class)
    return Domain("made", rng.normal(size=(classes, 10))[y] * 2 + rng.normal(size=(len(y), 10)), y)


def test_measures_of_a_matrix_made_by_hand() -> None:
    assert average_accuracy(R) == pytest.approx((0.6 + 0.6 + 0.7) / 3)
    assert backward_transfer(R) == pytest.approx(((0.6 - 0.9) + (0.6 - 0.8)) / 2)
    assert forward_transfer(R, [0.1, 0.3, 0.1]) == pytest.approx(((0.4 - 0.3) + (0.5 - 0.1)) / 2)


@pytest.mark.parametrize("method", methods())
def test_killed_and_resumed_equals_not_killed(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "RANDOM", 100)
    stream = split(made(6), 2, scenario="class")
    whole = run(stream, method, epochs=2, keep=tmp_path / "whole")
    calls = killed_at_third(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(stream, method, epochs=2, keep=tmp_path / "cut")
    resumed = run(stream, method, epochs=2, keep=tmp_path / "cut")
    assert len(calls) == 4  # one task was left to learn
    assert np.array_equal(whole[0], resumed[0]) and whole[1] == resumed[1]
    a, b = ((tmp_path / name / f"{method}-0.safetensors").read_bytes() for name in ("whole", "cut"))
    assert a == b


def test_same_seed_same_figures_and_other_seed_others() -> None:
    stream = permuted(made(), 2)
    one, two, other = (run(stream, "replay", seed=seed, epochs=1)[0].tolist() for seed in (0, 0, 1))
    assert one == two != other


def test_a_state_of_other_settings_is_refused(tmp_path: Path) -> None:
    stream = permuted(made(), 2)
    run(stream, "plain", epochs=1, keep=tmp_path)
    with pytest.raises(BadInput, match=r"plain-0\.safetensors: the state of another stream or other settings"):
        run(stream, "plain", epochs=2, keep=tmp_path)
    (tmp_path / "plain-0.safetensors").write_bytes(b"half")
    with pytest.raises(BadInput, match="delete it to start anew"):
        run(stream, "plain", epochs=1, keep=tmp_path)


def test_the_best_forgets_little_where_plain_fine_tuning_forgets_much(shared_data: Path) -> None:
    digits = shared_data / "mnist_usps" / "mnist_usps.npz"
    stream = read_stream(["permuted-mnist"], digits, tasks=3)
    plain, frozen = (run(stream, method, epochs=8)[0] for method in ("plain", "frozen"))
    assert backward_transfer(frozen) >= -0.03 and backward_transfer(plain) <= -0.15


def test_streams_are_cut_as_they_say() -> None:
    stream = split(made(5), 2, scenario="class")
    assert [sorted(set(task.y.tolist())) for task in stream.tasks] == [[0, 1], [2, 3, 4]]  # none is left alone
    assert all(len(task.test_y) * 3 == len(task.y) for task in stream.tasks)
    paired = split(made(4), 2, scenario="domain", rows="place")
    assert [sorted(set(task.y.tolist())) for task in paired.tasks] == [[0, 1], [0, 1]] and not paired.told
    placed = split(made(5), 2, scenario="domain")
    assert [sorted(set(task.y.tolist())) for task in placed.tasks] == [[0, 1], [2, 3, 4]]
    assert placed.places == (0, 1, 0, 1, 2)
    first, second = permuted(made(), 2).tasks
    assert np.array_equal(np.sort(first.x, 1), np.sort(second.x, 1)) and not np.array_equal(first.x, second.x)
    names = np.array(["cat", "dog", "owl", "ape"])
    one, other = made(2), made(4)
    joined = each([one._replace(labels=names[one.labels]), other._replace(labels=names[3 - other.labels])])
    assert sorted(set(joined.tasks[0].y.tolist())) == [0, 1] and sorted(set(joined.tasks[1].y.tolist())) == [0, 1, 2, 3]


def test_a_class_taken_for_another_of_the_same_place_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "RANDOM", 100)
    data = made(4)
    both = Domain("twins", np.concatenate([data.features[data.labels < 2]] * 2), np.repeat([0, 1, 2, 3], 32))
    matrix = run(split(both, 2, scenario="domain"), "frozen")[0]  # 2 looks as 0 does, 3 as 1: only places can be told
    assert matrix[-1].min() == 1.0 and run(split(both, 2, scenario="class"), "frozen")[0][-1].mean() < 0.8


def test_frozen_features_are_as_right_as_joint_training_on_split_digits(shared_data: Path) -> None:
    stream = read_stream(["split-mnist"], shared_data / "mnist_usps" / "mnist_usps.npz", tasks=5)
    frozen, joint = (run(stream, method)[0] for method in ("frozen", "joint"))
    assert average_accuracy(frozen) >= average_accuracy(joint) - 0.01 and backward_transfer(frozen) >= -0.03


def test_a_folder_of_pictures_by_class(tmp_path: Path) -> None:
    colours = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 220)}
    for name, colour in colours.items():
        (tmp_path / name).mkdir()
        for i in range(2):
            Image.new("RGB", (32, 32), tuple(c + i for c in colour)).save(tmp_path / name / f"{i}.png")
    found = read_pictures(tmp_path)
    assert found.features.shape[0] == 6 and found.labels.tolist() == ["blue"] * 2 + ["green"] * 2 + ["red"] * 2
    with pytest.raises(BadInput, match="a folder of pictures for each class"):
        read_pictures(tmp_path / "red")


def test_streams_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(KgmmError, match="needs the digits: --data FILE"):
        read_stream(["split-mnist"])
    with pytest.raises(BadInput, match="one task"):
        split(made(2), 2)
    with pytest.raises(BadInput, match="class 0 has 4 samples; 8 are needed"):
        split(made(4, 4), 2)
    with pytest.raises(BadInput, match="a stream is tasks, permuted-mnist"):
        read_stream([str(tmp_path / "a.txt")])
    with pytest.raises(BadInput, match="one network learns them all"):
        each([made(), made()._replace(features=np.ones((128, 3)))])


def test_the_command(shell, tmp_path: Path) -> None:
    data = made()
    np.savez(tmp_path / "made.npz", X=data.features, y=data.labels)
    ran = shell("eval", "continual", "--stream", tmp_path / "made.npz", "--method", "ewc", "--weight", 10, "--seeds", 2,
                "--epochs", 1, "--json")  # fmt: skip
    found = json.loads(ran.out)
    assert ran.code == 0 and len(found["each"]["acc"]) == 2 and np.array(found["matrix"]).shape == (2, 2)
    assert {"acc", "bwt", "fwt"} <= found.keys() and {"acc", "bwt", "fwt"} == found["joint"].keys()
    text = shell("eval", "continual", "--stream", tmp_path / "made.npz", "--method", "frozen", "--seeds", 1)
    assert "at once" in text.out and text.code == 0
    for wrong, said in (
        (["--method", "magic"], "no method 'magic'"),
        (["--method", "replay", "--weight", "1"], "replay has no option weight"),
    ):
        ran = shell("eval", "continual", "--stream", tmp_path / "made.npz", *wrong)
        assert ran.code == 1 and said in ran.err and ran.err.count("\n") == 1


def test_texts_by_label_make_a_stream(tmp_path: Path) -> None:
    rows = [(f"the {animal} number {i} eats", animal) for animal in ("cat", "dog", "owl", "ape") for i in range(8)]
    file = tmp_path / "texts.csv"
    file.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    stream = read_stream([str(file)], scenario="class")
    assert [task.name for task in stream.tasks] == ["ape cat", "dog owl"] and stream.tasks[0].x.shape == (12, 384)
    file.write_text("text,label\na cat,cat\nan owl,\n")
    with pytest.raises(BadInput, match=r"texts\.csv:3: a text or a label is missing"):
        read_stream([str(file)])
    file.write_text("text,kind\na cat,cat\n")
    with pytest.raises(BadInput, match=r"texts\.csv:1: has no column label"):
        read_stream([str(file)])

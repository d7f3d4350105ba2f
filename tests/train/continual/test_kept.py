"""``kgmm train … --continue FROM --keep HOW``: what was learned is kept, old rows are unmoved, a kill changes no bit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from kgmm.data.domains import Domain
from kgmm.errors import BadInput
from kgmm.train.adapted import AdaptedProblem
from kgmm.train.continual.kept import KEPT, Keeping
from kgmm.train.fit import Recipe, fit
from kgmm.transfer import load

NAMES = np.array(["ape", "bee", "cat", "dog"])
RECIPE = Recipe(epochs=4, batch=16, rate=3e-3, weight_decay=5e-4, threads=0)


def animals(classes: list[int], count: int = 60, shift: float = 0.0) -> Domain:
    means = np.abs(np.random.default_rng(0).normal(size=(4, 12))) * 3
    rng = np.random.default_rng(len(classes) + classes[0])
    y = np.array(classes)[np.arange(count) % len(classes)]
    return Domain("-".join(NAMES[classes]), means[y] + 0.3 * rng.normal(size=(count, 12)) + shift, NAMES[y])


FIRST, SECOND = animals([2, 3]), animals([0, 1])


def problem(domain: Domain, before: Path | None = None, epochs: int = 4) -> AdaptedProblem:
    known = () if before is None else json.loads((before / "vocabulary.json").read_text())["classes"]
    return AdaptedProblem("ddc", domain, domain, epochs=epochs, width=24, seed=1, weight=0.0, known=known)


def first(folder: Path, keep: str) -> Path:
    fit(Keeping(problem(FIRST, epochs=12), keep, None), folder, Recipe(epochs=12, batch=16, rate=3e-3, threads=0))
    return folder


def second(before: Path, out: Path, keep: str, kill_at: int = 0, epochs: int = 4) -> Path:
    made = Keeping(problem(SECOND, before, epochs), keep, before, seed=1)
    if kill_at:
        calls, loss = [], made.problem.loss

        def killed(rows: torch.Tensor) -> torch.Tensor:
            calls.append(1)
            if len(calls) == kill_at:
                raise KeyboardInterrupt
            return loss(rows)

        made.problem.loss = killed  # type: ignore[method-assign]
    fit(made, out, replace(RECIPE, epochs=epochs))
    return out


def right(folder: Path, domain: Domain) -> float:
    return float(np.mean(load(folder).predict(domain.features) == domain.labels))


@pytest.mark.parametrize("keep", ["ewc", "replay", "lwf", "frozen", "none"])
def test_killed_and_resumed_equals_not_killed(keep: str, tmp_path: Path) -> None:
    before = first(tmp_path / "before", keep)
    whole = second(before, tmp_path / "whole", keep)
    with pytest.raises(KeyboardInterrupt):
        second(before, tmp_path / "cut", keep, kill_at=10)
    torch.manual_seed(5)
    cut = second(before, tmp_path / "cut", keep)
    files = ["model.safetensors"] + ([KEPT] if keep in ("ewc", "replay", "frozen") else [])
    for name in files:
        a, b = load_file(whole / name), load_file(cut / name)
        assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
    assert json.loads((whole / "vocabulary.json").read_text())["classes"] == ["cat", "dog", "ape", "bee"]
    assert json.loads((whole / "config.json").read_text())["keep"] == keep


def test_what_was_learned_is_kept_where_plain_training_loses_it(tmp_path: Path) -> None:
    before = first(tmp_path / "before", "replay")
    assert right(before, FIRST) > 0.95
    replay, plain = (second(before, tmp_path / keep, keep, epochs=60) for keep in ("replay", "none"))
    assert right(plain, FIRST) < 0.6 and right(replay, FIRST) > 0.9 and right(replay, SECOND) > 0.9


def test_frozen_features_keep_their_bits_and_the_head_knows_both(tmp_path: Path) -> None:
    before = first(tmp_path / "before", "frozen")
    after = second(before, tmp_path / "after", "frozen")
    a, b = (load_file(folder / "model.safetensors") for folder in (before, after))
    assert all(torch.equal(a[k], b[k]) for k in a if k.startswith("layers.hidden"))
    assert right(after, FIRST) > 0.9 and right(after, SECOND) > 0.9


def test_old_rows_are_those_of_before_until_they_are_trained(tmp_path: Path) -> None:
    before = first(tmp_path / "before", "none")
    old = load_file(before / "model.safetensors")
    grown = Keeping(problem(SECOND, before), "none", before).model.state_dict()
    for name in ("layers.scores.weight", "layers.scores.bias"):
        assert len(grown[name]) == 4 and torch.equal(grown[name][:2], old[name])
    assert all(torch.equal(grown[k], old[k]) for k in old if k.startswith("layers.hidden"))


def test_what_does_not_fit_is_refused_in_one_line(shell, tmp_path: Path) -> None:
    for domain in (FIRST, SECOND):
        np.savez(tmp_path / f"{domain.name}.npz", X=domain.features, y=domain.labels)
    np.savez(tmp_path / "wide.npz", X=np.ones((20, 5)), y=np.arange(20) % 2)
    a, b, wide = tmp_path / "cat-dog.npz", tmp_path / "ape-bee.npz", tmp_path / "wide.npz"
    one, out = tmp_path / "one", tmp_path / "out"
    ran = shell("train", "ddc", a, "--target", a, "--out", one, "--epochs", 1, "--keep", "replay", "--remembered", 20)
    assert ran.code == 0, ran.err
    assert len(load_file(one / KEPT)["sample.y"]) == 20
    more = shell("train", "ddc", b, "--target", b, "--out", out, "--continue", one, "--keep", "replay", "--epochs", 1)
    assert more.code == 0, more.err
    for model, data, options, said in (
        ("ddc", b, ["--continue", tmp_path / "none"], "none: no such folder"),
        ("dan", b, ["--continue", one], "one: holds ddc; --continue goes on with dan"),
        ("ddc", b, ["--continue", one, "--keep", "ewc"], f"{KEPT}: was kept for replay, not for ewc"),
        ("ddc", wide, ["--continue", one], "one: learned from features 12, the data has 5"),
        ("ddc", b, ["--continue", tmp_path], "no trained model here"),
    ):
        ran = shell("train", model, data, "--target", data, "--out", tmp_path / "x", *options)
        assert ran.code == 1 and said in ran.err and ran.err.count("\n") == 1, ran.err
    ran = shell("train", "ddc", b, "--target", b, "--out", one, "--continue", one)
    assert ran.code == 1 and "choose another --out" in ran.err
    ran = shell("train", "san", "clevr", "--out", out, "--keep", "ewc")
    assert ran.code == 2 and "--keep is for kdmn and" in ran.err


def test_weights_and_kept_parts_that_are_damaged_are_named(tmp_path: Path) -> None:
    before = first(tmp_path / "before", "ewc")
    (before / KEPT).write_bytes(b"half")
    with pytest.raises(BadInput, match=r"kept\.safetensors"):
        Keeping(problem(SECOND, before), "ewc", before)
    (before / KEPT).unlink()
    with pytest.raises(BadInput, match="kept nothing for ewc; train it with --keep ewc"):
        Keeping(problem(SECOND, before), "ewc", before)
    save_file({"x": torch.ones(2)}, before / "model.safetensors")
    with pytest.raises(BadInput, match=r"weights do not fit: [a-z.]+ is none"):
        Keeping(problem(SECOND, before), "none", before)


def questions(folder: Path, uses: dict[str, str]) -> Path:
    folder.mkdir()
    facts = [{"id": f"f{i}", "surface": f"[[{s}]] is used for [[{o}]]"} for i, (s, o) in enumerate(uses.items())]
    (folder / "facts.jsonl").write_text("\n".join(json.dumps({**f, "source": "made"}) for f in facts))
    rng, names, rows = np.random.default_rng(0), list(uses), []
    for i in range(30):
        seen = rng.choice(len(names), 3, replace=False).tolist()
        rows.append(
            {
                "question_id": str(i),
                "image": f"{i}.jpg",
                "question": f"Which thing is used for {uses[names[seen[0]]]}?",
                "answer": names[seen[0]],
                "fact": [f"f{seen[0]}"],
                "answer_source": "image",
                "kb_source": "made",
                "concepts": [names[j] for j in seen],
            }
        )
    (folder / "questions-train.json").write_text(json.dumps(rows))
    return folder


@pytest.mark.parametrize("keep", ["ewc", "replay", "lwf"])
def test_kdmn_goes_on_with_further_questions_and_answers(keep: str, shell, tmp_path: Path) -> None:
    tools = {"knife": "cutting bread", "hammer": "driving nails", "pen": "writing letters", "cup": "drinking coffee"}
    rooms = {"lamp": "lighting rooms", "bed": "sleeping", "oven": "baking cakes", "broom": "sweeping", "piano": "music"}
    a, b = questions(tmp_path / "a", tools), questions(tmp_path / "b", rooms)
    how = ("--epochs", 1, "--batch", 8, "--keep", keep, "--vocabulary", 3)
    ran = shell("train", "kdmn", a, "--out", tmp_path / "one", *how)
    assert ran.code == 0, ran.err
    ran = shell("train", "kdmn", b, "--out", tmp_path / "two", "--continue", tmp_path / "one", *how, "--json")
    assert ran.code == 0, ran.err
    old, new = (json.loads((tmp_path / n / "vocabulary.json").read_text())["answers"] for n in ("one", "two"))
    assert new[: len(old)] == old and len(new) == 6
    before, after = (load_file(tmp_path / n / "model.safetensors") for n in ("one", "two"))
    assert len(after["vocabulary.name.weight"]) == 6 and len(before["vocabulary.name.weight"]) == 3
    ran = shell("train", "kdmn", b, "--out", tmp_path / "x", "--continue", tmp_path / "one", "--keep", "frozen")
    assert ran.code == 1 and "kdmn has no last layer in closed form" in ran.err
    ran = shell("train", "kdmn", b, "--out", tmp_path / "x", "--continue", tmp_path / "one", "--blind")
    assert ran.code == 1 and "was trained with blind False, not True" in ran.err


def test_a_process_killed_while_it_goes_on_ends_with_the_same_bits_when_the_command_is_given_again(
    shell, tmp_path: Path
) -> None:
    tools = {"knife": "cutting bread", "hammer": "driving nails", "pen": "writing letters", "cup": "drinking coffee"}
    rooms = {"lamp": "lighting rooms", "bed": "sleeping", "oven": "baking cakes", "broom": "sweeping", "piano": "music"}
    a, b = questions(tmp_path / "a", tools), questions(tmp_path / "b", rooms)
    how = ("--batch", 8, "--keep", "replay", "--vocabulary", 3, "--patience", 40)
    ran = shell("train", "kdmn", a, "--out", tmp_path / "one", "--epochs", 1, *how)
    assert ran.code == 0, ran.err
    words = ["train", "kdmn", b, "--continue", tmp_path / "one", "--epochs", 10, *how, "--out"]
    command = [sys.executable, "-c", "from kgmm.cli import main; main()", *map(str, words), str(tmp_path / "cut")]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None and not (tmp_path / "cut" / "checkpoint.safetensors").exists():
        time.sleep(0.002)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert run.returncode == -signal.SIGKILL and not (tmp_path / "cut" / KEPT).exists()
    for name in ("whole", "cut"):
        ran = shell(*words, tmp_path / name)
        assert ran.code == 0, ran.err
    for file in ("model.safetensors", KEPT):
        whole, cut = ((tmp_path / name / file).read_bytes() for name in ("whole", "cut"))
        assert whole == cut
    epochs = [json.loads(line)["epoch"] for line in (tmp_path / "cut" / "metrics.jsonl").read_text().splitlines()]
    assert epochs == list(range(1, 11))

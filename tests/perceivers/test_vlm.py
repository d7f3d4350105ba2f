"""Vision-language models as perceivers: replies read strictly, a model from a folder, nothing of a hostile folder run."""

from __future__ import annotations

import json
import pickle
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from kgmm.errors import KgmmError
from kgmm.perceivers import perceive
from kgmm.perceivers.vlm import LENGTH, Reply, prompt_of, understood
from kgmm.scene.images import Picture

transformers = pytest.importorskip("transformers", reason="transformers, the extra detect, is not installed")

PICTURE = Picture(np.zeros((50, 100, 3), np.uint8), 200, 100)
GOOD = """object: Cat | black, small | 10, 20, 55, 90
- object: the table | | [0, 50, 100, 100]
object: lamp
object: cup | 5%, 5%, 10%, 10%
relation: cat | sitting on | table
text: "EXIT | ONLY" | 1, 1, 20, 10
text: Route 42
"""


def test_a_good_reply_is_read_whole() -> None:
    reply = understood(GOOD, PICTURE)
    assert reply.dropped == 0
    assert [(o.name, o.box, o.attributes, o.text) for o in reply.objects] == [
        ("cat", (20.0, 20.0, 90.0, 70.0), ("black", "small"), ""),
        ("table", (0.0, 50.0, 200.0, 50.0), (), ""),
        ("lamp", None, (), ""),
        ("cup", (10.0, 5.0, 10.0, 5.0), (), ""),
        ("text", (2.0, 1.0, 38.0, 9.0), (), "EXIT | ONLY"),
        ("text", None, (), "Route 42"),
    ]
    assert [(r.subject, r.predicate, r.object) for r in reply.relations] == [("o1", "sitting_on", "o2")]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Sure! Here is the list:", 0),
        ("object:", 0),
        ("object: /etc/passwd", 0),
        ("object: ../../secret", 0),
        ("object: http://example.org/c/en/dog", 0),
        ("object: /c/en/dog", 0),
        ("object: _:b0", 0),
        ("object: __import__('os').system('id')", 0),
        ("object: {{ 7 * 7 }}", 0),
        ("object: cat | a | 1,2,3,4 | more", 0),
        ("object: " + "very " * 9 + "long name", 0),
        ("object: " + "x" * 41, 0),
        ("object: cat\x00 | black", 1),
        ("object: cat | ../x, black", 1),
        ("object: cat | black | 90, 20, 10, 30", 1),
        ("object: cat | black | 1e9, nan, inf, -3", 1),
        ("relation: cat | on", 0),
        ("text: ", 0),
        ("text: \u202e\u200b", 0),
    ],
)
def test_a_line_of_another_form_is_dropped_and_what_is_no_name_with_it(line: str, kept: int) -> None:
    reply = understood(line, PICTURE)
    assert (len(reply.objects), reply.dropped) == (kept, 1 - kept)
    assert all(o.box is None and set(o.attributes) <= {"black"} for o in reply.objects)


def test_relations_of_what_is_not_there_are_left_out() -> None:
    reply = understood("object: cat\nrelation: cat | on | moon\nrelation: cat | on | cat", PICTURE)
    assert (reply.relations, reply.dropped) == ((), 0)


def test_a_model_that_says_one_thing_again_and_again_says_it_once() -> None:
    assert len(understood("object: cat | | 1, 1, 5, 5\n" * 500, PICTURE).objects) == 1


def test_endless_replies_are_bounded() -> None:
    many = "\n".join(f"object: thing {'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10 % 10]}" for i in range(1000))
    assert len(understood(many, PICTURE, max_objects=7).objects) == 7
    assert understood("x" * LENGTH + "\nobject: cat", PICTURE) == Reply((), (), 1)
    related = "object: a\nobject: b\n" + "".join(f"relation: a | r{c} | b\n" for c in "abcdefghijklmnop")
    assert len(understood(related, PICTURE).relations) == 8


def test_damaged_replies_never_raise() -> None:
    luck = random.Random(0)
    for _ in range(300):
        letters = list(GOOD)
        for _ in range(luck.randrange(1, 30)):
            letters[luck.randrange(len(letters))] = chr(luck.choice((luck.randrange(128), luck.randrange(0xD800))))
        for o in understood("".join(letters), PICTURE).objects:
            assert o.name and "/" not in o.name and o.text.isprintable()


def test_a_model_from_a_folder_says_what_is_there(vlm_folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 140, 3), np.uint8)
    scene = perceive(pixels, "vlm", model=vlm_folder)
    assert [o.name for o in scene.objects] == ["cat", "table", "text"]
    assert scene.objects[0].box == (14.0, 18.0, 63.0, 63.0) and scene.objects[0].attributes == ("black",)
    assert scene.objects[2].text == "EXIT ONLY"
    assert ("o1", "lying_on", "o2") in {(r.subject, r.predicate, r.object) for r in scene.relations}
    assert scene.source.endswith("(1 lines not understood)")
    assert all(0 < o.score <= 1 for o in scene.objects)
    assert perceive(pixels, f"vlm:{vlm_folder}") == scene


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("EXECUTED",)


def test_pickled_weights_and_code_are_refused(
    vlm_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pickled, coded = tmp_path / "pickled", tmp_path / "coded"
    for folder in (pickled, coded):
        shutil.copytree(vlm_folder, folder)
    (pickled / "model.safetensors").unlink()
    (pickled / "pytorch_model.bin").write_bytes(pickle.dumps(_Bomb()))
    config = json.loads((coded / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "evil.C", "AutoModelForImageTextToText": "evil.M"}}
    (coded / "config.json").write_text(json.dumps(config))
    (coded / "evil.py").write_text("print('EXECUTED')\n")
    for folder in (pickled, coded):
        with pytest.raises(KgmmError, match="no vision-language model") as refused:
            perceive(PICTURE.pixels, "vlm", model=folder)
        assert "\n" not in str(refused.value)
    assert "EXECUTED" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "value"), [("vocab_size", 10**10), ("num_hidden_layers", 10**8), ("intermediate_size", 10**11)]
)
def test_a_configuration_of_more_than_is_there_does_not_fill_the_memory(
    vlm_folder: Path, tmp_path: Path, key: str, value: int
) -> None:
    folder = tmp_path / "huge"
    shutil.copytree(vlm_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config["text_config"][key] = value
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(KgmmError, match=r"its configuration (has|describes)"):
        perceive(PICTURE.pixels, "vlm", model=folder)


def test_a_hundred_damaged_folders_give_one_clear_line_each(vlm_folder: Path, tmp_path: Path) -> None:
    luck = random.Random(1)
    files, refusals = sorted(f.name for f in vlm_folder.iterdir()), 0
    for number in range(100):
        folder = tmp_path / str(number)
        shutil.copytree(vlm_folder, folder)
        name = files[number % len(files)]
        data = bytearray((folder / name).read_bytes())
        how = luck.choice(("cut", "bytes", "gone", "empty", "list"))
        if how == "cut":
            del data[len(data) // 2 :]
        elif how == "bytes":
            for _ in range(40):
                data[luck.randrange(min(len(data), 3000))] = luck.randrange(256)
        (folder / name).write_bytes({"empty": b"", "list": b"[1]"}.get(how, bytes(data)))
        if how == "gone":
            (folder / name).unlink()
        try:
            perceive(PICTURE.pixels, "vlm", model=folder, max_tokens=8)
        except KgmmError as refused:
            assert "\n" not in str(refused) and len(str(refused)) < 600
            refusals += 1
    assert refusals > 50


@pytest.mark.parametrize("place", ["./absent", "/absent/folder", "a/b/c/d"])
def test_a_folder_that_is_not_there_is_named(place: str) -> None:
    with pytest.raises(KgmmError, match="no such folder"):
        perceive(PICTURE.pixels, "vlm", model=place)


@pytest.mark.parametrize(
    ("template", "refusal"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "does not end within"),
        ("{{ ('x' * 9999999) * 9999 }}", "chat template"),
        ("{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", "longer than"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "chat template fails"),
        ("{{ raise_exception('no pictures') }}", "no pictures"),
        ("{% if %}", "chat template fails"),
        ("{% include '/etc/passwd' %}", "chat template fails"),
    ],
)
def test_a_chat_template_is_bounded_in_time_and_memory(
    vlm_folder: Path, tmp_path: Path, template: str, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kgmm.perceivers.vlm.RENDERING", 1)
    folder = tmp_path / "model"
    shutil.copytree(vlm_folder, folder)
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(KgmmError, match=refusal):
        perceive(PICTURE.pixels, "vlm", model=folder)


def test_a_chat_template_gets_messages_and_tokens() -> None:
    template = "{% for m in messages %}{{ m.role }}: {{ m.content | tojson }}{% endfor %}{{ eos_token }}"
    said = prompt_of(template, json.dumps({"messages": [{"role": "user", "content": ["é"]}], "eos_token": "</s>"}))
    assert said == 'user: ["é"]</s>'

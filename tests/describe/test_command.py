"""``kgmm describe``: scenes, tracked scenes, pictures, films; speech; bad lines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgmm.bundled import folder
from kgmm.describe.moments import read_moments
from kgmm.errors import BadInput
from kgmm.knowledge import KnowledgeStore


def test_a_scene_and_what_knowledge_warns_of(
    shell: Callable[..., Any], bundled_kb: KnowledgeStore, tmp_path: Path
) -> None:
    scene = tmp_path / "kitchen.json"
    things = [
        {"id": "s", "name": "stove", "box": [0, 300, 300, 400]},
        {"id": "k", "name": "knife", "attributes": ["1 m"]},
    ]
    scene.write_text(json.dumps({"id": "kitchen", "width": 1280, "height": 960, "objects": things}))
    ran = shell("describe", scene, "--kb", bundled_kb.path)
    assert ran.out == "Knife, one metre, sharp and dangerous.\nStove, about two metres, left, hot.\n"
    found = json.loads(shell("describe", scene, "--kb", bundled_kb.path, "--json").out)["descriptions"][0]
    assert found["sentences"][1]["about"][0]["hazards"][0]["facts"] == [["/c/en/stove", "HasProperty", "/c/en/hot"]]
    assert shell("describe", scene, "--no-kb", "--seconds", "0.4").out == "Knife.\n"


@pytest.mark.slow
def test_the_bundled_photograph_is_described(shell: Callable[..., Any]) -> None:
    ran = shell("describe", folder("graphs") / "photos" / "cat.jpg", "--no-kb")
    assert ran.code == 0 and ran.out.startswith("Cat, ") and "estimated" in ran.err


def test_tracked_scenes_are_told_with_their_times(shell: Callable[..., Any], tmp_path: Path) -> None:
    film = tmp_path / "street.jsonl"
    rows = [
        {"time": t, "id": f"s{t}", "width": 1280, "height": 960,
         "objects": [{"id": "b", "name": "bicycle", "box": [300, 400, 60 + 30 * t, 120 + 60 * t]}]} for t in range(3)
    ]  # fmt: skip
    film.write_text("\n".join(map(json.dumps, rows)))
    assert shell("describe", film, "--no-kb").out.splitlines() == [
        "   0.0 s  Bicycle, about ten metres, front left.",
        "   1.0 s  Bicycle, about seven metres, front left, approaching fast.",
    ]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('{"time": 0, "id": "s", "objects": []}\n{', r"f\.jsonl:2: not JSON"),
        ('{"id": "s", "objects": []}', r"f\.jsonl:1: expected a scene graph with a number 'time'"),
        (
            '{"time": 1, "id": "s", "objects": []}\n{"time": 1, "id": "s", "objects": []}',
            r"f\.jsonl:2: the time 1 is not",
        ),
        ('{"time": 1, "objects": []}', r"f\.jsonl:1: not a scene graph: it has no 'id'"),
        ("\n", "no scenes are there"),
    ],
)
def test_a_bad_line_is_named(lines: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text(lines)
    with pytest.raises(BadInput, match=told):
        read_moments(tmp_path / "f.jsonl")


def test_a_film_is_looked_at_once_a_second(shell: Callable[..., Any], tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "red.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 128
        for _ in range(12):
            picture = np.full((128, 128, 3), 255, np.uint8)
            picture[40:90, 40:90] = (220, 0, 0)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture)):
                film.mux(packet)
        film.mux(stream.encode())
    ran = shell("describe", path, "--no-kb", "--perceiver", "shapes", "--json")
    found = json.loads(ran.out)["descriptions"]
    assert [one["at"] for one in found] == pytest.approx([0, 1, 2]) and found[0]["text"] and not found[1]["text"]


def test_speech_goes_to_espeak_or_says_what_is_missing(
    shell: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = tmp_path / "s.json"
    scene.write_text('{"id": "s", "objects": [{"id": "a", "name": "dog"}]}')
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = shell("describe", scene, "--no-kb", "--speak")
    assert missing.code == 1 and "espeak-ng, which is not installed" in missing.err
    voice = tmp_path / "espeak-ng"
    voice.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/how\nread line\necho "$line" > {tmp_path}/said\n')
    voice.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    assert shell("describe", scene, "--no-kb", "--speak").code == 0
    assert (tmp_path / "said").read_text() == "Dog.\n" and "-s 150" in (tmp_path / "how").read_text()
    voice.write_text("#!/bin/sh\necho no sound card >&2\nexit 3\n")
    failed = shell("describe", scene, "--no-kb", "--speak")
    assert failed.code == 1 and "no sound card" in failed.err

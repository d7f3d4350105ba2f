"""Thousands of damaged files through every reader: none may raise anything but a KgmmError, hang, or be read as nothing.

Run from the repository's root: ``python -m benchmarks.mutants --count 5000``. Readers run in a process of their own, which is replaced when
it hangs (10 s) or dies; prints what came of the files, by reader, and the process's peak memory.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.store.formats.test_fuzz import SEEDS, mutated, parquet

#: seconds one file may take
HANG = 10.0
SRT = "1\n00:00:01,000 --> 00:00:02,500\nThe harbour <i>opens</i>\nat dawn.\n\n2\n00:00:03,000 --> 00:00:04,000\nGood night.\n"
VTT = "WEBVTT\n\nNOTE x\n\n1\n00:01.000 --> 00:02.500 line:0\n<v A>The harbour opens.\n\n00:03.000 --> 00:04.000\nGood night.\n"
QUESTION = {
    "question_id": "1",
    "question": "What cuts?",
    "concepts": ["knife"],
    "fact": ["f1"],
    "answer": "knife",
    "image": "a",
}
FACT = {"id": "f1", "surface": "[[knife]] is used for [[cutting]]", "source": "conceptnet"}
Reader = Callable[[Path], object]


def story(path: Path) -> object:
    """Read a story, and what a summary needs of it."""
    from kgmm import stories

    return stories.read(path).edges.frame_count


def _load(path: Path) -> int:
    """Load into a store that is thrown away after some hundred files; return how much was read."""
    from kgmm.store import LocalStore

    if not STORES or STORES[0].version > 200:
        STORES[:] = [LocalStore(tempfile.mkdtemp(prefix="kgmm-mutants-") + "/kb")]
    kb = STORES[0]
    version, facts = kb.version, len(kb)
    try:
        report = kb.load(path)
    except BaseException:
        assert (kb.version, len(kb)) == (version, facts), "half loaded"
        raise
    finally:
        for rejects in kb.path.parent.glob("*.rejects*"):
            rejects.unlink()
    new = len(kb) - facts  # fewer than added where more is said of facts that are known
    assert new == report.added or (kb.opened.state.said and 0 <= new < report.added), "added and not there"
    return report.read


STORES: list[Any] = []


def seeds(folder: Path) -> dict[str, tuple[bytes, str, Reader]]:
    """Return a sound file for each reader, the ending of its name, and the reader."""
    import numpy as np
    from PIL import Image

    from kgmm import stories
    from kgmm.data.fvqa import load_facts, load_questions
    from kgmm.encode.words import read_word_vectors
    from kgmm.scene import SceneGraph
    from kgmm.scene.images import read_image
    from kgmm.stories.example.news import news
    from kgmm.stories.video.subtitles import read_subtitles
    from kgmm.trace import Trace

    found: dict[str, tuple[bytes, str, Reader]] = {n: (text.encode(), "", _load) for n, text in SEEDS.items()}
    found["parquet"] = (parquet(folder), ".parquet", _load)
    found["csv"] = (b'subject,relation,object,weight\n"old, dog",IsA,pet,2\ncat,IsA,"pet\nanimal"\n' * 3, ".csv", _load)
    stories.to_json(news(), folder / "story.json")
    found["story"] = ((folder / "story.json").read_bytes(), ".json", story)
    small = stories.StoryGraph("n", (stories.Shot("a", 0, 4, ("flood",), ("x",)),), (stories.Logo("x"),))
    stories.to_json(small, folder / "small.json")
    found["small story"] = ((folder / "small.json").read_bytes(), ".json", story)

    def cues(path: Path) -> object:
        blocks = re.split(r"\n{2,}", path.read_text(errors="replace").strip("\ufeff\0 \r\n"))
        notes = all(block.startswith(("WEBVTT", "NOTE", "STYLE", "REGION")) for block in blocks if block)
        return read_subtitles(path) or notes or []

    found["srt"], found["vtt"] = (SRT.encode(), ".srt", cues), (VTT.encode(), ".vtt", cues)
    found["scene file"] = (json.dumps(json.loads(SEEDS["scene"])[0]).encode(), ".json", SceneGraph.from_json)
    Trace("What is it?").to_json(folder / "trace.json")
    found["trace"] = ((folder / "trace.json").read_bytes(), ".json", Trace.from_json)
    found["questions"] = (json.dumps([QUESTION] * 3).encode(), ".json", load_questions)
    found["facts"] = ((json.dumps(FACT) + "\n").encode() * 3, ".jsonl", load_facts)
    found["word vectors"] = (b"2 3\ndog 1 2 3\ncat 4 5.5 -6\n", ".txt", lambda path: read_word_vectors(path)._row)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 30, 3), np.uint8))
    for kind in ("png", "jpeg", "tiff", "bmp", "gif", "webp", "ppm"):
        data = io.BytesIO()
        picture.save(data, kind)
        found[kind] = (data.getvalue(), f".{kind}", lambda path: read_image(path).pixels)
    return found


def worse(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Damage a file: its bytes as the tests do, or its numbers, lines, repetitions, or with a part of another."""
    kind = chance.randrange(8)
    at, stop = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    if kind == 0:
        numbers = [b"1e400", b"-1", b"99999999999999999999", b"0", b"NaN", b"1e-320", b"00", b"9" * 5000]
        return re.sub(rb"\d+", lambda m: chance.choice(numbers) if chance.random() < 0.3 else m[0], data)
    if kind == 1:
        lines = data.splitlines(keepends=True)
        chance.shuffle(lines)
        return b"".join(lines)
    if kind == 2:
        return data[:at] + data[at : at + 40] * chance.choice([10, 1000, 50_000]) + data[at:]
    if kind == 3:
        other = chance.choice(others)
        return data[:at] + other[len(other) // 3 : 2 * len(other) // 3] + data[stop:]
    if kind == 4:
        opener = chance.choice(
            [b"[", b"{", b"<", b"(", b'{"a":', b"<<( ", b"<a>", b'"', b"\xf0\x9f", "\u2028".encode(), b" "]
        )
        return data[:at] + opener * chance.choice([1, 100, 100_000]) + data[at:]
    return mutated(data, chance)


def outcome(reader: Reader, path: Path) -> tuple[str, str]:
    """Return what came of a file, and the error if any."""
    from kgmm.errors import KgmmError

    try:
        found = reader(path)
    except KgmmError as error:
        return ("refused", "") if "\n" not in str(error).strip() else ("raw", f"several lines: {error}")
    except BaseException as error:
        return "raw", f"{type(error).__name__}: {error}"[:300]
    nothing = found == 0 if isinstance(found, int) else hasattr(found, "__len__") and len(found) == 0
    return ("empty", "read as nothing") if nothing else ("read", "")


def work(seed: int, start: int, stop: int, only: str | None) -> None:
    """Read the damaged files *start* … *stop*, a JSON line each on stdout."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = {n: one for n, one in seeds(folder).items() if only in (None, n)}
        others = [data for data, _, _ in known.values()]
        for kind, (data, ending, reader) in known.items():
            (folder / f"sound{ending}").write_bytes(data)
            assert outcome(reader, folder / f"sound{ending}")[0] == "read", kind
        for number in range(start, stop):
            chance = random.Random(seed * 1_000_003 + number)
            kind = chance.choice(sorted(known))
            data, ending, reader = known[kind]
            path = folder / f"mutant-{number}{ending}"
            path.write_bytes(worse(data, others, chance))
            print(json.dumps([number, kind, "begun", ""]), flush=True)
            came, error = outcome(reader, path)
            peak = int(re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[0]) // 1024
            print(json.dumps([number, kind, came, error, peak]), flush=True)
            path.unlink()


def run(count: int, seed: int, only: str | None = None) -> dict[str, Any]:
    """Return what came of *count* files: outcomes by reader, failures, peak memory in MB."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    failures: list[list[Any]] = []
    peak, at, slowest = 0, 0, 0.0
    while at < count:
        command = [sys.executable, "-m", "benchmarks.mutants", "--seed", str(seed), "--work", str(at), str(count)]
        command += ["--only", only] if only else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]) as worker:
            assert worker.stdout is not None
            last, kind, began = at, "", None
            buffer = b""
            while True:
                if not select.select([worker.stdout], [], [], HANG if began else 120)[0]:
                    worker.kill()
                    came = "hang"
                    break
                data = worker.stdout.read1(1 << 16)  # type: ignore[attr-defined]
                if not data:
                    came = "died"
                    break
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    last, kind, state, error, *memory = json.loads(line)
                    if state == "begun":
                        began = time.monotonic()
                        continue
                    slowest, began, at = max(slowest, time.monotonic() - (began or 0)), None, last + 1
                    outcomes[kind][state] += 1
                    peak = max(peak, memory[0])
                    if state in ("raw", "empty"):
                        failures.append([last, kind, state, error])
        if at < count and not kind:
            raise RuntimeError("the readers cannot be tried; see above")
        if at < count:
            outcomes[kind][came] += 1
            failures.append([last, kind, came, f"exit code {worker.returncode}"])
            at = last + 1
    total = sum(outcomes.values(), Counter[str]())
    return {
        "outcomes": dict(total),
        "readers": {k: dict(v) for k, v in sorted(outcomes.items())},
        "failures": failures,
    } | {"peak_mb": peak, "slowest_s": round(slowest, 1)}


def main() -> None:
    """Damage files, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="one reader")
    parser.add_argument("--work", nargs=2, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.seed, *given.work, given.only)
        return
    found = run(given.count, given.seed, given.only)
    print(json.dumps(found, indent=1))
    sys.exit(1 if found["failures"] else 0)


if __name__ == "__main__":
    main()

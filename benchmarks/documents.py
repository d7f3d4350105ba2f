"""Passages for questions: 2WikiMultihopQA with and without titles, news and glosses, changes, a million passages.

    python benchmarks/documents.py                     # BM25, entities alone and ours, beside four stored systems
    python benchmarks/documents.py --vectors           # with vectors, and vectors alone: some minutes
    python benchmarks/documents.py --wordnet DIR       # also questions on BBC news and WordNet's glosses (DIR: data.noun …)
    python benchmarks/documents.py --passages 1000000  # size: repeated and perturbed passages, without vectors

Data: ../shared/data/2wiki and bbc, or KGMM_DATA. Plain BM25 is Robertson's with k1 = 1.2, b = 0.75 on lower-case words.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import re
import resource
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import document_texts as texts
import numpy as np

import kgmm
from kgmm.documents import retrieve as retrieval
from kgmm.documents.index import Index, current, make_vectors
from kgmm.documents.question import asked
from kgmm.documents.spans import bare
from kgmm.documents.vectors import cosines

DATA = Path(os.environ.get("KGMM_DATA", Path(__file__).parents[2] / "shared" / "data"))
Finder = Callable[[str], list[int]]


def plain_bm25(index: Index) -> Finder:
    """BM25 as everybody has it: lower-case words, the title counted."""
    said = [
        f"{title} {text}" for title, text in zip(*(index.rows[n].to_pylist() for n in ("title", "text")), strict=True)
    ]
    documents = [re.findall(r"[^\W_]+", text.lower()) for text in said]
    listed: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for at, words in enumerate(documents):
        for word, count in Counter(words).items():
            listed[word].append((at, count))
    length = np.array([len(words) for words in documents], float)
    norm = 1.2 * (0.25 + 0.75 * length / length.mean())

    def find(question: str) -> list[int]:
        scores = np.zeros(len(documents))
        for word in re.findall(r"[^\W_]+", question.lower()):
            if word in listed:
                at, n = np.array(listed[word]).T
                idf = math.log(1 + (len(documents) - len(at) + 0.5) / (len(at) + 0.5))
                scores[at] += idf * n * 2.2 / (n + norm[at])
        return retrieval.best(scores, 8).tolist()

    return find


def finders(index: Index, vectors: bool) -> dict[str, Finder]:
    """Return what is compared, by name."""
    tuning = retrieval.Tuning()
    words_alone = Index(index.key, index.rows, index.texts, index.links)

    def entities(question: str) -> list[int]:
        mass, _ = retrieval.walked(index, asked(index, question), np.zeros(len(index)), tuning)
        return retrieval.best(mass[: len(index)], 8).tolist()

    def our_words(question: str) -> list[int]:
        return retrieval.best(retrieval.by_words(index, asked(index, question), tuning), 8).tolist()

    def ours(of: Index) -> Finder:
        return lambda question: [p for p, _ in retrieval.found(of, question, 8)[0]]

    found: dict[str, Finder] = {"BM25, plain": plain_bm25(index), "our words, no walk": our_words}
    found |= {"entities alone": entities, "ours": ours(words_alone)}
    if vectors and index.vectors is not None:
        matrix = index.vectors
        found["vectors alone"] = lambda question: retrieval.best(cosines(matrix, question) + 1, 8).tolist()
        found["ours, vectors"] = ours(index)
    return found


def two_wiki(args: argparse.Namespace, folder: Path, titled: bool) -> list[dict[str, Any]]:
    corpus = json.loads((DATA / "2wiki" / "corpus.json").read_text())
    questions = json.loads((DATA / "2wiki" / "questions-dev.json").read_text())
    kb = kgmm.open(folder / f"2wiki-{titled}")
    began = time.perf_counter()
    kb.read(
        [
            {"id": f"{at:05}", "text": p["text"]} | ({"title": p["title"]} if titled else {})
            for at, p in enumerate(corpus)
        ]
    )
    current(kb)
    made = time.perf_counter() - began
    with_vectors = 0.0
    if args.vectors:
        make_vectors(kb)
        with_vectors = time.perf_counter() - began
    index = current(kb)
    name_of = [corpus[int(at)]["title"] for at in index.rows["document"].to_pylist()]
    rows = []
    if titled:
        for system in questions[0]["stored"]:
            rows.append(_judged(f"stored: {system}", questions, [q["stored"][system] for q in questions], 0.0))
    for name, find in finders(index, args.vectors).items():
        find(questions[0]["question"])
        start = time.perf_counter()
        answers = [[name_of[p] for p in find(q["question"])] for q in questions]
        rows.append(_judged(name, questions, answers, (time.perf_counter() - start) / len(questions)))
    print(
        f"\n2Wiki, {'with' if titled else 'without'} titles: {len(index):,} passages, {len(questions)} questions;",
        end=" ",
    )
    print(f"read and indexed in {made:.1f} s" + (f", with vectors {with_vectors:.1f} s" if with_vectors else ""))
    print(f"{'':24s}    @2    @5  all of 8  ms")
    for row in rows:
        print(f"{row['name']:24s} {row['@2']:.3f} {row['@5']:.3f}    {row['all8']:.3f} {row['ms']:5.1f}")
    return [row | {"set": "2wiki" + ("" if titled else ", no titles")} for row in rows]


def joined_by_facts(folder: Path) -> list[dict[str, Any]]:
    """Take the bridge of two gold passages out of the first one's text and give it to the store as a fact.

    Where a gold passage names the title of another, *someone* stands in its place; without the fact nothing leads from one to the other.
    """
    corpus = json.loads((DATA / "2wiki" / "corpus.json").read_text())
    questions = json.loads((DATA / "2wiki" / "questions-dev.json").read_text())
    text = {p["title"]: p["text"] for p in corpus}
    facts, asked_of = [], []
    for q in questions:
        for a in q["gold"]:
            for b in q["gold"]:
                name = bare(b)
                if a != b and name in text[a] and name not in q["question"]:
                    text[a] = text[a].replace(name, "someone")
                    facts.append((bare(a), "RelatedTo", name))
                    asked_of.append(q)
    kb = kgmm.open(folder / "joined")
    kb.read([{"id": f"{at:05}", "title": p["title"], "text": text[p["title"]]} for at, p in enumerate(corpus)])
    kb.add(facts)
    index = current(kb)
    name_of = [corpus[int(at)]["title"] for at in index.rows["document"].to_pylist()]
    rows = []
    for name, store in (("without the facts", None), ("with the facts", kb)):
        start = time.perf_counter()
        found = [retrieval.found(index, q["question"], 8, store=store)[0] for q in asked_of]
        answers = [[name_of[p] for p, _ in best] for best in found]
        rows.append(_judged(name, asked_of, answers, (time.perf_counter() - start) / len(asked_of)))
    print(f"\n{len(facts)} bridges taken out of the text of {len(index):,} passages and given to the store as facts")
    for row in rows:
        print(f"{row['name']:24s} {row['@2']:.3f} {row['@5']:.3f}    {row['all8']:.3f} {row['ms']:5.1f}")
    return [row | {"set": "bridges as facts"} for row in rows]


def tagged(folder: Path, tagger: str) -> list[dict[str, Any]]:
    """Measure what a tagger's names change: without titles, and without titles in small letters."""
    corpus = json.loads((DATA / "2wiki" / "corpus.json").read_text())
    questions = json.loads((DATA / "2wiki" / "questions-dev.json").read_text())
    rows = []
    for small in (False, True):
        for name in ("none", tagger):
            kb = kgmm.open(folder / f"tagged-{small}-{name.partition(':')[0]}")
            start = time.process_time()
            texts_ = [p["text"].lower() if small else p["text"] for p in corpus]
            kb.read([{"id": f"{at:05}", "text": text} for at, text in enumerate(texts_)], tagger=name)
            index = current(kb)
            spent = (time.process_time() - start) / len(corpus) * 1000
            name_of = [corpus[int(at)]["title"] for at in index.rows["document"].to_pylist()]
            answers = [[name_of[p] for p, _ in retrieval.found(index, q["question"], 8)[0]] for q in questions]
            row = _judged(f"{'small letters' if small else 'no titles'}, tagger {name}", questions, answers, 0.0)
            print(
                f"{row['name']:40s} {row['@2']:.3f} {row['@5']:.3f} {row['all8']:.3f}; {len(index.texts.rule_entity):,} mentions, "
                f"{spent:.1f} s of processor time for 1,000 passages",
                flush=True,
            )
            rows.append(row | {"set": "tagged", "seconds_1000": spent})
    return rows


def _judged(name: str, questions: list[Any], answers: list[list[str]], seconds: float) -> dict[str, Any]:
    def recall(k: int) -> float:
        return float(
            np.mean([len({*a[:k]} & {*q["gold"]}) / len(q["gold"]) for q, a in zip(questions, answers, strict=True)])
        )

    every = float(np.mean([{*q["gold"]} <= {*a[:8]} for q, a in zip(questions, answers, strict=True)]))
    return {"name": name, "@2": recall(2), "@5": recall(5), "all8": every, "ms": seconds * 1e3}


def plain_texts(args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    same, synsets = texts.synonyms(args.wordnet)
    rows = []
    for made in (texts.bbc(DATA / "bbc" / "bbc-text.csv", same), texts.glosses(synsets, same)):
        place = folder / f"{made.name}-files"
        place.mkdir(exist_ok=True)
        for name, text in made.documents.items():
            (place / name).write_text(text, encoding="utf-8")
        kb = kgmm.open(folder / made.name)
        kb.read(str(place), vectors=args.vectors)
        index = current(kb)
        said = index.rows["text"]
        print(
            f"\n{made.name}: {len(index):,} passages, {len(made.questions)} questions; answer's words in the first five"
        )
        for name, find in finders(index, args.vectors).items():
            shares = [texts.held(a, q, [said[p].as_py() for p in find(q)[:5]]) for q, a in made.questions]
            spread = float(np.std(shares)) / math.sqrt(len(shares))
            print(f"{name:24s} {np.mean(shares):.3f} ± {spread:.3f}")
            rows.append({"set": made.name, "name": name, "held": float(np.mean(shares)), "error": spread})
    return rows


def changes(folder: Path, entities: bool = False) -> list[dict[str, Any]]:
    """Time the change of one document among 10,000 passages, index included, and with links of names if wanted."""
    kb = kgmm.open(folder / f"changes-{entities}")
    kb.read([{"id": f"{at:05}", **p} for at, p in enumerate(_many(10_000))], entities=entities)
    current(kb)
    question = "When did Lothair II's mother die?"
    one = {"title": "New Town", "text": "A new town in Russia, founded by Otto of Bavaria in 1900."}
    acts: dict[str, Callable[[int], object]] = {
        "add": lambda at: kb.read([{"id": f"new{at}", **one}]),
        "change": lambda at: kb.read([{"id": f"new{at}", **one, "date": "2020"}]),
        "remove": lambda at: kb.remove_documents(f"new{at}"),
        "ask": lambda at: kb.retrieve(question, passages=5),
    }
    rows = []
    for name, act in acts.items():
        times = []
        for at in range(9):
            start = time.perf_counter(), time.process_time()
            act(at)
            times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        wall, cpu = (sorted(part)[0] * 1e3 for part in zip(*times, strict=True))
        print(f"{name:8s} best of 9: {wall:.0f} ms, CPU {cpu:.0f} ms")
        made = "changes" + (", names linked" if entities else "")
        rows.append({"set": made, "name": name, "wall_ms": wall, "cpu_ms": cpu})
    return rows


def _many(count: int) -> list[dict[str, str]]:
    """Return the corpus's passages repeated with other numbers, and a tenth of their words exchanged."""
    corpus = json.loads((DATA / "2wiki" / "corpus.json").read_text())
    draw = random.Random(0)
    words = [word for p in corpus[:2000] for word in p["text"].split()]
    made = []
    for at in range(count):
        p = corpus[at % len(corpus)]
        if at < len(corpus):
            made.append({"title": p["title"], "text": p["text"]})
            continue
        told = [draw.choice(words) if draw.random() < 0.1 else word for word in p["text"].split()]
        made.append({"title": f"{p['title']} {at}", "text": " ".join(told)})
    return made


def size(count: int, folder: Path) -> list[dict[str, Any]]:
    kb = kgmm.open(folder / "size")
    start = time.perf_counter()
    with (folder / "many.jsonl").open("w", encoding="utf-8") as lines:
        for record in _many(count):
            lines.write(json.dumps(record) + "\n")
    written = time.perf_counter()
    kb.read(str(folder / "many.jsonl"))
    read = time.perf_counter()
    current(kb)
    indexed = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    questions = json.loads((DATA / "2wiki" / "questions-dev.json").read_text())
    kb.retrieve(questions[0]["question"], passages=5)
    times = []
    for q in questions:
        began = time.perf_counter()
        kb.retrieve(q["question"], passages=5)
        times.append((time.perf_counter() - began) * 1e3)
    print(
        f"{count:,} passages: made in {written - start:.0f} s, read in {read - written:.0f} s, indexed in {indexed - read:.0f} s, "
        f"at most {peak:.1f} GiB; a question {np.median(times):.0f} ms (median), {max(times):.0f} ms (most)"
    )
    return [
        {
            "set": "size",
            "passages": count,
            "read_s": read - written,
            "index_s": indexed - read,
            "peak_gib": peak,
            "median_ms": float(np.median(times)),
            "most_ms": max(times),
        }
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", action="store_true")
    parser.add_argument("--wordnet", type=Path, help="folder with WordNet's data.noun, data.verb, data.adj, data.adv")
    parser.add_argument("--passages", type=int, help="only the size: so many passages")
    parser.add_argument("--changes", action="store_true", help="only the time of changes")
    parser.add_argument("--facts", action="store_true", help="only bridges that the store knows and no passage tells")
    parser.add_argument("--tagger", help="only what a tagger's names change: spacy")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kgmm-documents-") as place:
        folder = Path(place)
        if args.passages:
            rows = size(args.passages, folder)
        elif args.tagger:
            rows = tagged(folder, args.tagger)
        elif args.changes:
            rows = changes(folder)
            print("names linked across documents (entities=True):")
            rows += changes(folder, entities=True)
        elif args.facts:
            rows = joined_by_facts(folder)
        else:
            rows = two_wiki(args, folder, True) + two_wiki(args, folder, False)
            rows += joined_by_facts(folder)
            rows += plain_texts(args, folder) if args.wordnet else []
            rows += changes(folder)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

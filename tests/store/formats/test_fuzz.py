"""A thousand damaged files: each is loaded in part, or refused in one clear line; none crashes, hangs or half loads."""

from __future__ import annotations

import gzip
import random
import resource
from pathlib import Path

import pytest

from kgmm.errors import KgmmError
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store import Fact, LocalStore
from kgmm.store.formats import ReadOptions, detect, formats

from . import writers

MUTANTS = 1000
SCENE = SceneGraph(
    "7",
    tuple(
        SceneObject(str(i), n, (1.0, 2, 3, 4), attributes=("big", "red", "metal"))
        for i, n in enumerate(["cube", "ball"])
    ),
    (SceneRelation("0", "left_of", "1"),),
    480,
    320,
)
DUMP = '/a/[/r/IsA/]\t/r/IsA\t/c/en/dog\t/c/en/pet\t{"weight": 2.0, "surfaceText": "a [[dog]] is"}\n'
TURTLE = '@prefix c: <http://conceptnet.io/c/en/> .\nc:dog c:is c:pet, "x"@en {| <urn:kgmm:weight> 2.0 |} .\n'
SEEDS = {
    "visual-genome": writers.visual_genome([SCENE] * 3),
    "visual-genome-relationships": writers.visual_genome_relationships([SCENE] * 3),
    "visual-genome-table": writers.visual_genome_table([SCENE] * 3),
    "gqa": writers.gqa([SCENE]),
    "coco": writers.coco([SCENE] * 2),
    "clevr": writers.clevr([SCENE] * 2),
    "scene": writers.own([SCENE] * 2),
    "conceptnet": DUMP * 5,
    "tabular": "dog\tIsA\tpet\t1.5\ncat\tIsA\tpet\n" * 4,
    "conceptnet100k": "IsA\tdog\tpet\nUsedFor\tknife\tcutting bread\t1\n" * 4,
    "kgtk": 'id\tnode1\tlabel\tnode2\ne1\tQ1\tP31\t"x"|Q5\ne2\tQ1\tP2\t^2001-01-01T00:00:00Z/11\n' * 3,
    "ntriples": '<http://e.org/s> <http://e.org/p> "o"@en .\n_:a <http://e.org/p> <http://e.org/o> .\n' * 3,
    "nquads": '<http://e.org/s> <http://e.org/p> "1"^^<http://e.org/t> <http://e.org/g> .\n' * 4,
    "turtle": TURTLE,
    "trig": TURTLE + "<http://e.org/g> { c:dog c:is c:animal . }\n",
    "json-ld": '{"@context": {"name": "http://e.org/name"}, "@id": "http://e.org/a", "name": ["x", "y"]}',
    "jsonl": '{"subject": "dog", "predicate": "IsA", "object": "pet", "from": "2001", "confidence": 0.5}\n' * 3,
    "nanopub": "@prefix np: <http://www.nanopub.org/nschema#> . @prefix : <http://e.org/> .\n"
    ":h { :n a np:Nanopublication ; np:hasAssertion :a ; np:hasProvenance :p ; np:hasPublicationInfo :i . }\n"
    ':a { :dog :is :pet . } :p { :a :of :b . } :i { :n :by "me" . }\n',
    "rdf-xml": '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.org/">'
    '<rdf:Description rdf:about="http://e.org/s"><e:p>text</e:p></rdf:Description></rdf:RDF>',
}


def parquet(folder: Path) -> bytes:
    kb = LocalStore(folder / "seed")
    kb.add([Fact("dog", "IsA", "pet"), Fact("cat", "IsA", "pet")])
    kb.export(folder / "seed.parquet")
    return (folder / "seed.parquet").read_bytes()


def worked() -> float:
    """Seconds that this process and those it has started have computed."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def mutated(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(data) + 1), chance.randint(1, 12)
        kind = chance.randrange(8)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + chance.randbytes(size) + data[at:]
        elif kind == 2:
            data = data[:at] + data[at + size :]
        elif kind == 3:
            data = data[:at] + b"\0" + data[at:]
        elif kind == 4:
            data = (
                data[:at]
                + chance.choice(
                    [b'"', b"{", b"[", b"]", b"\t", b"\n", b"<", b"\\", b"\xff\xfe", b"1e999", b"\\ud800", b"NaN"]
                )
                + data[at:]
            )
        elif kind == 5 and data:
            flip = min(at, len(data) - 1)
            data = data[:flip] + bytes([data[flip] ^ (1 << chance.randrange(8))]) + data[flip + 1 :]
        elif kind == 6:
            data = data[:at] + data[at // 2 : at] + data[at:]
        elif data:
            packed = gzip.compress(data)
            cut = chance.randrange(len(packed))
            return (
                packed[:cut] + bytes([packed[cut] ^ 0x55]) + packed[cut + 1 :]
                if chance.random() < 0.5
                else packed[:cut]
            )
    return data


def test_every_format_has_a_seed_that_loads_whole(tmp_path: Path) -> None:
    assert SEEDS.keys() | {"parquet"} == formats().keys()
    for name, text in SEEDS.items():
        path = writers.write(tmp_path, "seed", text)
        assert name == detect(path).NAME
        kb = LocalStore(tmp_path / f"kb-{name}")
        report = kb.load(path)
        assert (report.rejected, report.added > 0) == (0, True), name


@pytest.mark.timeout(300)
def test_damaged_files_do_not_crash_hang_or_half_load(tmp_path: Path) -> None:
    chance = random.Random(20)
    seeds: dict[str, bytes] = {name: text.encode() for name, text in SEEDS.items()}
    seeds["parquet"] = parquet(tmp_path)
    kb = LocalStore(tmp_path / "kb")
    outcomes = {"loaded": 0, "refused": 0}
    for number in range(MUTANTS):
        name = chance.choice(sorted(seeds))
        path = writers.write(tmp_path, f"mutant-{number}", mutated(seeds[name], chance))
        named = name if chance.random() < 0.5 else None
        began = worked()
        version, facts = kb.version, len(kb)
        try:
            if number % 4:  # a commit costs more than a parse: most files are only read
                for part in detect(path, named).read(path, ReadOptions()):
                    assert part is not None
            else:
                report = kb.load(path, format=named)
                new = len(kb) - facts
                assert new == report.added or (kb.opened.state.said and 0 <= new < report.added)  # more is said of some
            outcomes["loaded"] += 1
        except KgmmError as error:
            assert (kb.version, len(kb)) == (version, facts)
            assert str(path) in str(error) or path.name in str(error)
            outcomes["refused"] += 1
        # by the work done: what waits for a busy disk or machine, in fsync or a parser's start, is no hang; one ends at the timeout
        assert worked() - began < 20, name
        path.unlink()
    assert kb.check() == []
    assert min(outcomes.values()) > MUTANTS // 10, outcomes

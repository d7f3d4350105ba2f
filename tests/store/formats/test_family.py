"""Every reader of a file format: known by its file, read, its rejects told with their line, documented, sourced."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kgmm.errors import BadInput
from kgmm.store import LocalStore
from kgmm.store.formats import ReadOptions, Rejects, detect, formats
from tests.families import check_family

from . import writers


class Case(NamedTuple):
    """A small file, a fact it states, the same with something wrong, and the line where that is told."""

    text: str | bytes
    fact: tuple[str, str, str]
    broken: str | bytes
    line: int


def parquet(*rows: tuple[str | None, str, str]) -> bytes:
    file = io.BytesIO()
    columns = dict(zip(("subject", "predicate", "object"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(column) for name, column in columns.items()}), file)
    return file.getvalue()


def lines(*values: object) -> str:
    """Return a JSON array with one item on each line."""
    return "[\n" + ",\n".join(json.dumps(value) for value in values) + "\n]"


DOG = ("/c/en/dog", "IsA", "/c/en/animal")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NT = "<http://conceptnet.io/c/en/dog> <http://conceptnet.io/r/IsA> <http://conceptnet.io/c/en/animal> .\n"
NQ = NT.replace(" .", " <urn:kgmm:g> .")
PREFIX = "@prefix c: <http://conceptnet.io/c/en/> .\n@prefix r: <http://conceptnet.io/r/> .\n"
XML = (
    f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:r="http://conceptnet.io/r/">\n'
    '<rdf:Description rdf:about="http://conceptnet.io/c/en/dog">\n'
    '<r:IsA rdf:resource="http://conceptnet.io/c/en/animal"/>\n</rdf:Description>\n'
)
LD = '{"@id": "http://conceptnet.io/c/en/dog",\n"http://conceptnet.io/r/IsA": {"@id": "http://conceptnet.io/c/en/animal"}'
JSONL = '{"subject": "dog", "predicate": "IsA", "object": "animal"}'
NANOPUB = f"""{PREFIX}@prefix np: <http://www.nanopub.org/nschema#> .
c:h {{ c:np a np:Nanopublication ; np:hasAssertion c:a ; np:hasProvenance c:p ; np:hasPublicationInfo c:i . }}
c:a {{ c:dog r:IsA c:animal . }} c:p {{ c:a r:FromText c:book . }}
c:i {{ c:np r:MadeBy c:me . }}
"""
EDGE = "/a/1\t/r/IsA\t/c/en/dog\t/c/en/animal\t{}\n"
CUP = {"object_id": 1, "name": "cup", "x": 1, "y": 2, "w": 3, "h": 4}
TABLE = {"object_id": 2, "names": ["table"], "x": 0, "y": 0, "w": 9, "h": 9}
ON = {"relationship_id": 1, "predicate": "ON", "subject_id": 1, "object_id": 2}
PICTURE = {"image_id": 7, "objects": [CUP, TABLE], "relationships": [ON]}
HELD = {"image_id": 7, "relationships": [{"predicate": "on", "subject": CUP, "object": TABLE}]}
CUP_ON_TABLE = ("/s/7/1", "on", "/s/7/2")
VG_TABLE = "image_id\trelationship\tsubject\tobject\n7\ton\tcup\ttable\n"
GQA = '{"7": {"width": 9, "height": 9, "objects": {"1": {"name": "cup", "relations": [{"name": "on", "object": "2"}]},'
GQA += ' "2": {"name": "table", "relations": []}}}'
SOLID = {"shape": "cube", "size": "small", "color": "red", "material": "metal", "3d_coords": [0, 0, 0]}
CLEVR = {"image_filename": "7.png", "objects": [SOLID, SOLID], "relationships": {"left": [[1], []]}}
OWN = {"kgmm": "scene/1", "id": "7", "objects": [{"id": "1", "name": "cup"}], "relations": []}


def coco(category: object) -> str:
    boxes = [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 2, 2]}]
    boxes += [{"id": 2, "image_id": 1, "category_id": category, "bbox": [0, 0, 2, 2]}]
    images = [{"id": 1, "file_name": "7.jpg", "width": 9, "height": 9, "coco_url": ""}]
    kinds = [{"id": 3, "name": "cup", "supercategory": "kitchen"}]
    return f'{{"images":\n{json.dumps(images)},\n"annotations": {lines(*boxes)}, "categories": {json.dumps(kinds)}}}'


CASES = {
    "conceptnet": Case(EDGE, DOG, EDGE + "cut\n", 2),
    "conceptnet100k": Case("IsA\tdog\tanimal\t1\n", DOG, "IsA\tdog\tanimal\t1\nIsA\tdog\n", 2),
    "tabular": Case("dog\tIsA\tanimal\n", DOG, "dog\tIsA\tanimal\ndog\tIsA\tpet\tmuch\n", 2),
    "kgtk": Case("node1\tlabel\tnode2\ndog\tIsA\tanimal\n", DOG, "node1\tlabel\tnode2\ndog\tIsA\tanimal\ndog\n", 3),
    "ntriples": Case(NT, DOG, NT + "<a\n", 2),
    "nquads": Case(NQ, DOG, NQ + "<a\n", 2),
    "turtle": Case(f"{PREFIX}c:dog r:IsA c:animal .\n", DOG, f"{PREFIX}c:dog r:IsA c:animal .\nc:dog r:IsA ]\n", 4),
    "trig": Case(f"{PREFIX}c:g {{ c:dog r:IsA c:animal . }}\n", DOG, f"{PREFIX}c:g {{ c:dog r:IsA ] . }}\n", 3),
    "rdf-xml": Case(f"{XML}</rdf:RDF>\n", DOG, f"{XML}</rdf:Seq>\n", 5),
    "json-ld": Case(f"{LD}}}", DOG, f"{LD},\n]", 3),
    "nanopub": Case(NANOPUB, DOG, NANOPUB + "]\n", 7),
    "jsonl": Case(f"{JSONL}\n", DOG, f"{JSONL}\n{{}}\n", 2),
    "parquet": Case(parquet(DOG), DOG, parquet(DOG, (None, "IsA", "x")), 2),
    "visual-genome": Case(lines(PICTURE), CUP_ON_TABLE, lines(PICTURE, {**PICTURE, "image_id": None}), 3),
    "visual-genome-relationships": Case(lines(HELD), CUP_ON_TABLE, lines(HELD, {**HELD, "image_id": None}), 3),
    "visual-genome-table": Case(VG_TABLE, ("/s/7/cup", "on", "/s/7/table"), f"{VG_TABLE}7\ton\tcup\n", 3),
    "gqa": Case(f"{GQA}}}", CUP_ON_TABLE, f'{GQA},\n"8": {{"objects": {{"1": {{}}}}}}}}', 2),
    "coco": Case(coco(3), ("/s/7", "Depicts", "/c/en/cup"), coco(None), 5),
    "clevr": Case(
        f'{{"scenes": {lines(CLEVR)}}}', ("/s/7/1", "left_of", "/s/7/0"), f'{{"scenes": {lines(CLEVR, {})}}}', 3
    ),
    "scene": Case(lines(OWN), ("/s/7", "Depicts", "/c/en/cup"), lines(OWN, {**OWN, "id": ""}), 3),
}


def test_family_is_whole_documented_and_sourced() -> None:
    assert CASES.keys() == formats().keys()
    modules = {name: sys.modules[module.__name__] for name, module in formats().items()}  # type: ignore[attr-defined]
    check_family(formats(), lambda name: modules[name], "formats.md")


@pytest.mark.parametrize("name", formats())
def test_file_is_known_and_its_facts_are_found(name: str, tmp_path: Path) -> None:
    path = writers.write(tmp_path, "file", CASES[name].text)
    assert name == detect(path).NAME
    kb = LocalStore(tmp_path / "kb")
    report = kb.load(path)
    assert (report.format, report.rejected) == (name, 0)
    assert kb.count(*CASES[name].fact) == 1, list(kb.find())


@pytest.mark.parametrize("name", formats())
def test_what_is_wrong_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    path = writers.write(tmp_path, "file", case.broken)
    try:
        parts = list(detect(path, name).read(path, ReadOptions()))
    except BadInput as error:  # syntaxes that do not allow to go on
        assert name in ("turtle", "trig", "rdf-xml", "json-ld", "nanopub")
        assert error.line == case.line
        return
    told = [line for part in parts if isinstance(part, Rejects) for line in part.lines]
    assert told == [case.line]
    assert any(len(part) for part in parts if not isinstance(part, Rejects))  # the rest is read

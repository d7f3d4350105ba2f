"""ConceptNet's web API, answer for answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

import kgmm
from kgmm.serve.app import app

CONTEXT = ["http://api.conceptnet.io/ld/conceptnet5.7/context.ld.json"]
DUMP = """\
/a/[/r/Antonym/,/c/en/example/n/,/c/en/counterexample/]\t/r/Antonym\t/c/en/example/n\t/c/en/counterexample\t{"dataset": "/d/wiktionary/en", "license": "cc:by-sa/4.0", "sources": [{"contributor": "/s/resource/wiktionary/en"}], "weight": 1.0}
/a/[/r/IsA/,/c/en/dog/,/c/en/animal/]\t/r/IsA\t/c/en/dog\t/c/en/animal\t{"dataset": "/d/conceptnet/4/en", "license": "cc:by/4.0", "surfaceText": "[[dog]] is [[an animal]]", "weight": 9.0}
/a/[/r/IsA/,/c/en/dog/n/wn/animal/,/c/en/canine/n/wn/animal/]\t/r/IsA\t/c/en/dog/n/wn/animal\t/c/en/canine/n/wn/animal\t{"dataset": "/d/wordnet/3.1", "weight": 2.0}
/a/[/r/RelatedTo/,/c/en/dog/,/c/fr/chien/]\t/r/RelatedTo\t/c/en/dog\t/c/fr/chien\t{"dataset": "/d/wiktionary/en", "weight": 1.5}
/a/[/r/CapableOf/,/c/en/dog/,/c/en/bark/]\t/r/CapableOf\t/c/en/dog\t/c/en/bark\t{"dataset": "/d/conceptnet/4/en", "weight": 16.0}
/a/[/r/HasA/,/c/en/animal/,/c/en/fur/]\t/r/HasA\t/c/en/animal\t/c/en/fur\t{"dataset": "/d/conceptnet/4/en", "weight": 1.0}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("conceptnet")
    (folder / "assertions.csv").write_text(DUMP)
    with kgmm.open(folder / "kb") as kb:
        kb.load(folder / "assertions.csv")
        yield TestClient(app(kb))


def edges(served: TestClient, path: str) -> list[tuple[str, str, str]]:
    found = served.get(path).json()["edges"]
    return [(e["start"]["@id"], e["rel"]["@id"], e["end"]["@id"]) for e in found]


def test_a_concept_s_edges_come_heaviest_first_with_its_senses(served: TestClient) -> None:
    answer = served.get("/c/en/dog").json()
    assert answer["@context"] == CONTEXT and answer["@id"] == "/c/en/dog" and answer["version"]
    assert [e["weight"] for e in answer["edges"]] == [16.0, 9.0, 2.0, 1.5] and "view" not in answer


def test_an_edge_has_every_field_of_the_original(served: TestClient) -> None:
    edge = served.get("/query?start=/c/en/dog&rel=/r/IsA&end=/c/en/animal").json()["edges"][0]
    assert set(edge) == {
        "@id",
        "@type",
        "dataset",
        "end",
        "license",
        "rel",
        "sources",
        "start",
        "surfaceText",
        "weight",
    }
    assert edge["@id"] == "/a/[/r/IsA/,/c/en/dog/,/c/en/animal/]" and edge["dataset"] == "/d/conceptnet/4/en"
    assert edge["rel"] == {"@id": "/r/IsA", "@type": "Relation", "label": "IsA"}
    assert edge["start"] == {"@id": "/c/en/dog", "@type": "Node", "label": "dog", "language": "en", "term": "/c/en/dog"}


def test_a_sense_is_a_node_with_its_label(served: TestClient) -> None:
    node = served.get("/c/en/example").json()["edges"][0]["start"]
    assert node["@id"] == "/c/en/example/n" and node["term"] == "/c/en/example" and node["sense_label"] == "n"


def test_pages_link_to_one_another(served: TestClient) -> None:
    first = served.get("/c/en/dog?limit=2").json()
    assert first["view"]["nextPage"] == "/c/en/dog?offset=2&limit=2" and first["view"]["paginatedProperty"] == "edges"
    second = served.get(first["view"]["nextPage"]).json()
    assert second["view"]["previousPage"] == "/c/en/dog?offset=0&limit=2" and "nextPage" not in second["view"]
    assert len(first["edges"]) == len(second["edges"]) == 2


@pytest.mark.parametrize(
    ("criteria", "ends"),
    [
        ("start=/c/en/dog&end=/c/fr", {"/c/fr/chien"}),
        ("node=/c/en/dog&other=/c/en/animal", {"/c/en/animal"}),
        ("node=/c/en/animal&other=/c/en", {"/c/en/animal", "/c/en/fur"}),
        ("rel=/r/CapableOf", {"/c/en/bark"}),
        ("source=/d/wordnet/3.1", {"/c/en/canine/n/wn/animal"}),
        ("uri=/a/[/r/HasA/,/c/en/animal/,/c/en/fur/]", {"/c/en/fur"}),
        ("start=/c/en/nothing", set()),
    ],
)
def test_criteria_narrow_as_they_do_there(served: TestClient, criteria: str, ends: set[str]) -> None:
    assert {end for _, _, end in edges(served, f"/query?{criteria}")} == ends


def test_a_broad_search_is_narrowed_before_it_is_read(address: str) -> None:
    start = time.perf_counter()
    found = httpx.get(f"{address}/query?node=/c/en&other=/c/xx", timeout=30)
    assert found.json()["edges"] == [] and time.perf_counter() - start < 2.0


def test_a_search_that_takes_too_long_says_how_to_narrow_it(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kgmm.serve.conceptnet.SECONDS", 0.05)
    refused = httpx.get(f"{address}/d/nothing", timeout=30)
    assert refused.status_code == 400 and "name a start" in refused.json()["error"]["details"]


def test_an_assertion_a_relation_and_a_data_set_have_addresses(served: TestClient) -> None:
    one = served.get("/a/[/r/IsA/,/c/en/dog/,/c/en/animal/]").json()
    assert one["@type"] == "Edge" and one["start"]["@id"] == "/c/en/dog"
    assert len(edges(served, "/r/IsA")) == 2 and len(edges(served, "/d/wiktionary/en")) == 2


def test_what_is_not_there_is_404_in_their_words(served: TestClient) -> None:
    answer = served.get("/c/en/unheard_of")
    assert answer.status_code == 404
    assert answer.json()["error"] == {"status": 404, "details": "'/c/en/unheard_of' is not a node in ConceptNet."}
    assert served.get("/a/[/r/IsA/,/c/en/x/,/c/en/y/]").status_code == 404
    assert served.get("/relatedness?node1=/c/en/dog").status_code == 400 and served.get("/uri").status_code == 400


def test_related_terms_and_relatedness(served: TestClient) -> None:
    related = served.get("/related/c/en/dog?filter=/c/en").json()["related"]
    assert related[0] == {"@id": "/c/en/dog", "weight": 1.0} and all(r["@id"].startswith("/c/en/") for r in related)
    assert served.get("/related/list/en/dog,animal@0.5").json()["related"]
    near = served.get("/relatedness?node1=/c/en/dog&node2=/c/en/puppy").json()["value"]
    far = served.get("/relatedness?node1=/c/en/dog&node2=/c/en/tax_law").json()["value"]
    assert near > far


def test_texts_become_uris(served: TestClient) -> None:
    assert served.get("/uri?language=en&text=Ground%20Beef").json()["@id"] == "/c/en/ground_beef"


def test_a_published_client_works_with_another_address_only(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library = pytest.importorskip("conceptnet_client", reason="conceptnet-client is not installed")
    monkeypatch.setattr(library.api, "BASE_URL", address)
    found = library.ConceptNetAPI().lookup("ice cream", limit=5)
    assert (len(found) == 5 and "IsA" in found.relations()) or "UsedFor" in found.relations()
    assert found[0].start.label and found[0].weight > 0


def test_a_second_published_client_works_with_another_address_only(address: str) -> None:
    spacy = pytest.importorskip("spacy", reason="spaCy is not installed")
    pytest.importorskip("concepcy", reason="concepCy is not installed")
    language = spacy.blank("en")
    url = address + "/query?node=/c/{lang}/{word}&other=/c/{lang}"
    wanted = {"url": url, "relations_of_interest": ["IsA", "UsedFor"], "filter_edge_weight": None}
    language.add_pipe("concepcy", config=wanted)
    document = spacy.tokens.Doc(language.vocab, ["spoon"], lemmas=["spoon"])
    language.get_pipe("concepcy")(document)
    assert document._.usedfor["spoon"]


def test_the_dump_s_own_example_is_not_lost(served: TestClient, tmp_path: Path) -> None:
    found = edges(served, "/c/en/example")
    assert found == [("/c/en/example/n", "/r/Antonym", "/c/en/counterexample")]

"""Nanopublications: other programs find them valid, and what was changed under a trusty URI is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.cli import cli
from kgmm.errors import BadInput
from kgmm.store import Assertion, Fact, LocalStore
from kgmm.store.rdf.trusty import PLACEHOLDER, checksum, code_of

FOREIGN = """@prefix np: <http://www.nanopub.org/nschema#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix dct: <http://purl.org/dc/terms/> . @prefix e: <http://example.org/> . @prefix : <http://example.org/np1#> .
@prefix schema: <http://schema.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:Head { <http://example.org/np1> a np:Nanopublication ; np:hasAssertion :a ; np:hasProvenance :p ; np:hasPublicationInfo :i . }
:a { e:gene e:relatedTo e:disease , e:other . }
:p { :a prov:wasAttributedTo e:ann , e:bob ; PROVENANCE . }
:i { <http://example.org/np1> dct:creator e:eve ; dct:license <http://e.org/cc0> ; dct:created "2020-01-01T00:00:00Z"^^xsd:dateTime . }
"""


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    kb = LocalStore(tmp_path / "kb")
    kb.add(
        ("bonn", "CapitalOf", "germany"),
        valid=("1949", "1990-10-02"),
        contributor="ann",
        source="atlas",
        confidence=0.9,
    )
    kb.add(
        ("bonn", "CapitalOf", "germany"), contributor="http://orcid.org/1", polarity=-1, licence="cc0", text='as "said"'
    )
    kb.add([Fact("bonn", "label", '"Bonn\\n\\\\"@de', 2.5, "http://e.org/g"), Fact("dog", "IsA", "animal")])
    return kb


def documents(path: Path) -> list[rdflib.ConjunctiveGraph]:
    head, *found = re.split(r"\n(?=<[^>]*#Head> \{)", path.read_text())
    return [rdflib.ConjunctiveGraph().parse(data=head + text, format="trig") for text in found]


def test_the_package_nanopub_finds_each_valid(kb: LocalStore, tmp_path: Path) -> None:
    nanopub = pytest.importorskip("nanopub", reason="the package nanopub is not installed")
    from nanopub.sign_utils import verify_trusty

    said = CliRunner().invoke(cli, ["export", str(kb.path), str(tmp_path / "np.trig"), "--format", "nanopub"])
    assert said.exit_code == 0, said.output
    graphs = documents(tmp_path / "np.trig")
    assert len(graphs) == 4
    names = set()
    for graph in graphs:
        read = nanopub.Nanopub(rdf=graph)
        name = str(read.metadata.np_uri)
        assert read.is_valid and verify_trusty(graph, name, rdflib.Namespace(f"{name}#"))
        names.add(name)
    assert len(names) == 4
    kb.export(tmp_path / "again.trig", "nanopub")
    assert (tmp_path / "again.trig").read_bytes() == (tmp_path / "np.trig").read_bytes()


IRIS = st.sampled_from(
    ["http://e.org/a", "http://e.org/b#c", f"http://e.org/{PLACEHOLDER}", f"http://e.org/{PLACEHOLDER}#x", "urn:é"]
)
LITERALS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=5).map(ox.Literal),
    st.sampled_from(["en", "de-AT"]).flatmap(
        lambda tag: st.sampled_from("ab").map(lambda t: ox.Literal(t, language=tag))
    ),
    st.sampled_from("ab").map(lambda t: ox.Literal(t, datatype=ox.NamedNode("http://e.org/t"))),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(IRIS, IRIS, IRIS, IRIS | LITERALS), min_size=1, max_size=8))
def test_the_checksum_is_the_package_s(quads: list[tuple[str, str, str, str | ox.Literal]]) -> None:
    pytest.importorskip("nanopub", reason="the package nanopub is not installed")
    from nanopub.trustyuri.rdf import RdfHasher

    def named(part: str | ox.Literal) -> rdflib.term.Identifier:
        if isinstance(part, str):
            return rdflib.URIRef(part)
        kind = None if part.language else rdflib.URIRef(part.datatype.value)
        return rdflib.Literal(part.value, lang=part.language, datatype=kind, normalize=False)

    assert checksum(quads) == RdfHasher.make_hash([tuple(map(named, quad)) for quad in quads])


def test_what_was_changed_is_refused_and_nothing_loaded(kb: LocalStore, tmp_path: Path) -> None:
    kb.export(tmp_path / "np.trig", "nanopub")
    text = (tmp_path / "np.trig").read_text()
    assert all(code_of(name) for name in re.findall(r"<(\S+?)#Head>", text))
    (tmp_path / "np.trig").write_text(text.replace('"1949"', '"1950"', 1))
    again = LocalStore(tmp_path / "again")
    with pytest.raises(BadInput, match="is not what its trusty URI was made of"):
        again.load(tmp_path / "np.trig")
    assert again.version == 0
    with pytest.raises(BadInput, match="no IRI that ends in"):
        kb.export(tmp_path / "np.trig", "nanopub", base="http://e.org/a")


@pytest.mark.parametrize("suffix", [".trig", ".nq"])
def test_others_are_read_with_whom_what_when_and_how_surely(suffix: str, tmp_path: Path) -> None:
    more = (
        'prov:wasDerivedFrom e:paper ; schema:startDate "2001"^^xsd:gYear ; prov:wasGeneratedBy e:experiment ; '
        "<http://www.w3.org/2005/11/its/rdf#taConfidence> 0.75"
    )
    text = FOREIGN.replace("PROVENANCE", more)
    if suffix == ".nq":
        text = ox.serialize(ox.parse(text, ox.RdfFormat.TRIG), format=ox.RdfFormat.N_QUADS).decode()  # type: ignore[union-attr]
    (tmp_path / f"a{suffix}").write_text(text)
    kb = LocalStore(tmp_path / "kb")
    report = kb.load(tmp_path / f"a{suffix}")
    assert (report.format, report.rejected, len(kb)) == ("nanopub", 0, 2)
    e = "http://example.org/"
    found = kb.assertions((f"{e}gene", f"{e}relatedTo", f"{e}disease"))
    expected = Fact(f"{e}gene", f"{e}relatedTo", f"{e}disease", source=f"{e}paper")
    about = {"confidence": 0.75, "valid": ("2001", None), "method": f"{e}experiment", "licence": "http://e.org/cc0"}
    assert found == [Assertion(expected, f"{e}{who}", **about) for who in ("ann", "bob")]  # type: ignore[arg-type]


def test_one_that_names_no_source_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.trig").write_text(FOREIGN.replace(" ; PROVENANCE", ""))
    kb = LocalStore(tmp_path / "kb")
    kb.load(tmp_path / "a.trig")
    assert {fact.source for fact in kb.find()} == {"http://example.org/np1"}
    assert kb.withdraw(source="http://example.org/np1") == 4 and len(kb) == 0


def test_one_without_its_parts_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.trig").write_text(
        FOREIGN.replace("np:hasProvenance :p ; ", "").replace("PROVENANCE", "prov:value 1")
    )
    kb = LocalStore(tmp_path / "kb")
    assert kb.load(tmp_path / "a.trig").rejected == 1 and len(kb) == 0


def test_what_the_package_signed_is_read_and_checked(tmp_path: Path) -> None:
    nanopub = pytest.importorskip("nanopub", reason="the package nanopub is not installed")
    from Crypto.PublicKey import RSA
    from nanopub.profile import Profile

    key, me = RSA.generate(1024), "https://orcid.org/0000-0000-0000-0000"
    private, public = (
        "".join(pem.decode().splitlines()[1:-1])
        for pem in (key.export_key("PEM", pkcs=8), key.public_key().export_key("PEM"))
    )
    profile = Profile(name="Me", orcid_id=me, private_key=private, public_key=public)
    stated, e = rdflib.Graph(), rdflib.Namespace("http://example.org/")
    stated.add((e.a, e.b, rdflib.Literal("x\ny\\", lang="en")))
    stated.add((e.a, e.c, rdflib.BNode()))
    conf = nanopub.NanopubConf(
        profile=profile, attribute_assertion_to_profile=True, attribute_publication_to_profile=True
    )
    signed = nanopub.Nanopub(assertion=stated, conf=conf)
    signed.sign()
    for name, syntax in (("a.trig", "trig"), ("a.nq", "nquads")):
        signed.rdf.serialize(tmp_path / name, format=syntax)
        kb = LocalStore(tmp_path / f"kb-{syntax}")
        assert kb.load(tmp_path / name).rejected == 0 and len(kb) == 2
        (said,) = kb.assertions((e.a, e.b, '"x\\ny\\\\"@en'))
        assert (said.contributor, said.source) == (me, str(signed.source_uri))
        text = (tmp_path / name).read_text().replace("@en", "@de")
        (tmp_path / name).write_text(text)
        with pytest.raises(BadInput, match="trusty URI"):
            kb.load(tmp_path / name)

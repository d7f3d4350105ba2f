"""Commands on what is said of facts: who says them and of which time, what contradicts itself."""

from dataclasses import asdict
from pathlib import Path

import click

from kgmm.cli.ending import nothing
from kgmm.cli.output import COUNT, PLACE, WHOLE, at_option, json_option, say
from kgmm.errors import StoreError
from kgmm.store import Assertion, Conflict, LocalStore


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("subject")
@click.argument("predicate")
@click.argument("object")
@click.option("--graph", default="facts", help="The fact's graph.")
@click.option("--withdrawn", is_flag=True, help="Show also what was withdrawn.")
@click.option("--version", type=WHOLE, help="Look in this version instead of the newest.")
@json_option
def assertions(
    kb: Path, subject: str, predicate: str, object: str, graph: str, withdrawn: bool, version: int | None, as_json: bool
) -> int:
    """Show what is said of a fact in the store KB: by whom, from what, of which time."""
    with LocalStore(kb, create=False, version=version) as store:
        found = store.assertions((subject, predicate, object, graph), withdrawn=withdrawn)
        about = {"version": store.version, "assertions": [{**asdict(said), "id": said.id} for said in found]}
        say(as_json, about, "\n".join(map(_line, found)) if found else "")
    return 0 if found else nothing("nothing is said of it")


def _line(said: Assertion) -> str:
    """Return an assertion as a line: for or against, when, who, how, from what."""
    start, end = said.valid if isinstance(said.valid, tuple) else (None, None)
    when = "always" if start is end is None else f"{start or ''} to {end or ''}".strip()
    sure = "" if said.confidence is None else f"{said.confidence:g}"
    side = "withdrawn" if said.withdrawn else "for" if said.polarity > 0 else "against"
    rests = "; ".join(" ".join(key[:3]) for key in said.rests_on)
    return "\t".join((side, when, said.contributor, said.source, said.method, sure, said.licence, said.text, rests))


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("relations", nargs=-1)
@click.option("--learn", is_flag=True, help="Declare those whose values follow each other in time.")
@click.option("--least", default=20, type=COUNT, help="Subjects with several values that learning asks for.")
@json_option
def functional(kb: Path, relations: tuple[str, ...], learn: bool, least: int, as_json: bool) -> None:
    """Declare that RELATIONS have one value at a time: a later value ends one before it. Show all that do."""
    with LocalStore(kb, create=bool(relations)) as store:
        learned = store.learn_functional(least) if learn else []
        found = store.functional(*relations)
        about = {"functional": found, "learned": learned, "version": store.version}
        say(as_json, about, "\n".join(found))


@click.command()
@click.argument("kb", type=PLACE)
@at_option
@json_option
def conflicts(kb: Path, at: str | None, as_json: bool) -> None:
    """Show what contradicts itself in the store KB: several values of a functional relation, facts said for and against."""
    with LocalStore(kb, create=False) as store:
        found = store.conflicts(at)
        about = {"conflicts": [asdict(conflict) for conflict in found], "version": store.version}
        say(as_json, about, "\n".join(map(_conflict, found)) if found else "nothing contradicts itself")


def _conflict(conflict: Conflict) -> str:
    fact = conflict.facts[0]
    values = " | ".join(one.object for one in conflict.facts)
    return "\t".join((conflict.kind, fact.subject, fact.predicate, values, fact.graph))


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("others", nargs=-1, required=True, type=PLACE)
@json_option
def merge(kb: Path, others: tuple[Path, ...], as_json: bool) -> None:
    """Take all that the stores OTHERS hold into the store KB; in any order, any number of times, the same comes of it."""
    with LocalStore(kb, create=False) as store:
        lines, done = [], []
        for other in others:
            merged = store.merge(other)
            done.append({"other": str(other), **asdict(merged)})
            arose = [_conflict(conflict) for conflict in merged.conflicts]
            said = f"{merged.added:,} assertions added, {merged.withdrawn:,} withdrawn, of {merged.facts:,} facts"
            lines += [f"{other}: {said}, version {merged.version}", *arose]
        found = store.conflicts()
        lines += [f"{len(found):,} conflicts, see: kgmm conflicts {kb}"] if found else []
        about = {"merged": done, "conflicts": [asdict(conflict) for conflict in found], "version": store.version}
        say(as_json, about, "\n".join(lines))


@click.command()
@click.argument("kb", type=PLACE)
@click.option("--contributor", "contributors", multiple=True, help="Who is withdrawn (repeatable).")
@click.option("--source", "sources", multiple=True, help="The document that is withdrawn (repeatable).")
@json_option
def withdraw(kb: Path, contributors: tuple[str, ...], sources: tuple[str, ...], as_json: bool) -> None:
    """Withdraw from the store KB what a contributor said or a document holds, with all that rested on it."""
    with LocalStore(kb, create=False) as store:
        gone = store.withdraw(contributor=contributors or None, source=sources or None)
        text = f"{gone:,} assertions withdrawn, version {store.version}"
        text += f"; back with: kgmm undo {kb} {store.version}" if gone else ""
        say(as_json, {"withdrawn": gone, "version": store.version}, text)


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("version", type=WHOLE)
@json_option
def undo(kb: Path, version: int, as_json: bool) -> None:
    """Say anew what VERSION of the store KB withdrew."""
    with LocalStore(kb, create=False) as store:
        back = store.undo(version)
        say(as_json, {"facts": back, "version": store.version}, f"{back:,} facts brought back, version {store.version}")


@click.command()
@click.argument("kb", type=PLACE)
@click.argument("concept")
@click.option("--dry", is_flag=True, help="Change nothing; tell what would go.")
@json_option
def forget(kb: Path, concept: str, dry: bool, as_json: bool) -> int:
    """Forget CONCEPT: its facts and every mention of its label go from all versions of the store KB, and a search proves it."""
    with LocalStore(kb, create=False) as store:
        done = store.forget(concept, dry=dry)
    what = f"{done.facts:,} facts, {done.assertions:,} assertions, {done.texts:,} mentions, {done.terms:,} terms"
    text = (
        f"would go: {what}" if dry else f"forgotten: {what}; {done.searched:,} files searched, version {done.version}"
    )
    say(as_json, asdict(done), text)
    return nothing(StoreError(f"still in: {', '.join(done.left)}")) if done.left else 0


@click.command()
@click.argument("kb", type=PLACE)
@click.option("--policy", help="How claims are weighed, such as majority or dawid-skene; the default of kgmm.trust.")
@click.option("--limit", type=COUNT, default=20, help="Show at most so many facts, the least likely first.")
@at_option
@json_option
def believe(kb: Path, policy: str | None, limit: int, at: str | None, as_json: bool) -> int:
    """Weigh what is said of the facts in KB: how likely each is, and how far each contributor is to be trusted."""
    with LocalStore(kb, create=False) as store:
        seen = store.believe(policy, at=at)
        if seen.belief is None:
            return nothing("nobody says anything of its facts")
        report = seen.belief.report()
        likely = sorted(seen.believed(), key=lambda fact: (fact.weight, fact.subject, fact.object))[:limit]
    facts = [asdict(fact) for fact in likely]
    about = {"policy": seen.belief.policy, "contributors": report.to_dicts(), "facts": facts}
    lines = [
        f"{r['reliability']:.3f}\t{r['claims']:,} claims\t{r['contributor']}" for r in report.iter_rows(named=True)
    ]
    shown = [f"{fact.weight:.3f}\t{fact.subject}\t{fact.predicate}\t{fact.object}" for fact in likely]
    say(as_json, about, "\n".join([*lines, *shown]))
    return 0

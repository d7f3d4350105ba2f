"""Names, nouns and noun phrases of a transcript, without a tagger: by WordNet, lists and the word before."""

import gzip
import re
from collections.abc import Iterator
from functools import cache

from kgmm import bundled
from kgmm.errors import KgmmError
from kgmm.language.words import lemma
from kgmm.stories.terms import lexicon

_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|\n{2,}|(?:^|\s)(?:>>|--)\s*")
_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*|[,;:()\"“”—–]")
_JOINING = frozenset("of de la van von der".split())  #: lower-case words that may stand inside a name
LONGEST = 3  #: most nouns in one term


def terms(text: str, known: frozenset[str] = frozenset()) -> list[str]:
    """Return the terms of a shot's words in order of first mention: names, nouns, and nouns that stand together.

    Names keep together without titles ("Lake Verrin", "Ana Soto"), so do nouns ("power station", beside "station");
    *known* words are names also where a sentence begins.

    >>> terms("Engineers say the power station on Lake Verrin was flooded.")
    ['engineer', 'power station', 'station', 'lake verrin']
    >>> terms("He walked quickly. They went for a long walk.")
    ['walk']
    """
    found: dict[str, None] = {}
    known |= capitalized(text)
    for sentence in _SENTENCE.split(text or ""):
        if sentence and sentence.isupper():  # captions often come in capitals: no case to tell names by
            sentence = sentence.lower()
        for phrase in _phrases(_WORD.findall(sentence or ""), known):
            found.setdefault(phrase)
    return list(found)


def _phrases(words: list[str], known: frozenset[str]) -> Iterator[str]:
    """Yield names, runs of nouns, and the last noun of each run; titles are no part of names."""
    at = 0
    while at < len(words):
        name = _name(words, at, known)
        if name:
            parts = [_bare(w).lower() for w in words[at : at + name]]
            at += name
            while len(parts) > 1 and parts[0] in lexicon.TITLES:
                del parts[0]
            if parts[0] not in lexicon.TITLES:
                yield " ".join(parts)
            continue
        run: list[str] = []
        start = at
        while at < len(words) and len(run) < LONGEST and _is_noun(words, at, bool(run)):
            if run and _name(words, at, known):
                break
            run.append(dictionary_form(_bare(words[at]).lower()))
            at += 1
        if run:
            yield " ".join(run)
            if len(run) > 1:
                yield run[-1]
        at = max(at, start + 1)


def _name(words: list[str], at: int, known: frozenset[str]) -> int:
    """Return how many words from *at* on make a name; 0 if none starts there."""
    if not _capital(words[at]):
        return 0
    bare = _bare(words[at])
    if at == 0 and bare.lower() not in known | lexicon.TITLES and _begins_sentence(bare.lower(), words):
        return 0
    if bare.lower() in lexicon.NEVER or len(bare) < 2:
        return 0
    size = 1
    while at + size < len(words):
        if _capital(words[at + size]) and _bare(words[at + size]).lower() not in lexicon.NEVER:
            size += 1
        elif words[at + size] in _JOINING and at + size + 1 < len(words) and _capital(words[at + size + 1]):
            size += 2
        else:
            break
        if words[at + size - 1] != _bare(words[at + size - 1]):  # a possessive ends a name
            break
    return size


def _begins_sentence(first: str, words: list[str]) -> bool:
    """Tell whether a sentence's first word owes its capital to its place alone."""
    if not _wordnet_nouns():
        return True
    if first in _all_words() or lemma(first) in _all_words():
        return _is_common(lemma(first)) or not (len(words) > 1 and _capital(words[1]))
    return False


def _is_noun(words: list[str], at: int, inside: bool) -> bool:
    word = _bare(words[at]).lower()
    if len(word) < 3 or not word[0].isalpha() or any(c.isdigit() for c in word) or word in lexicon.NEVER:
        return False
    before = words[at - 1].lower() if at else ""
    if before in lexicon.BEFORE_VERBS and before != "to":
        return False
    base = dictionary_form(word)
    if base in lexicon.NEVER or word in lexicon.ADJECTIVES or base in lexicon.ADJECTIVES:
        return False
    if word.endswith("ly") and base not in lexicon.NOUNS_IN_LY:
        return False
    if word.endswith("ed") and word != base and word not in lexicon.NOUNS_IN_ED:
        return False
    if word.endswith("ing") and word != base and word not in lexicon.NOUNS_IN_ING:
        return False
    if word in lexicon.VERBS or base in lexicon.VERBS:
        if word not in (base, base + "s", base + "es"):  # took, stolen
            return False
        return not inside and (before in lexicon.DETERMINERS or before in lexicon.ADJECTIVES)
    return _is_common(base) or _is_common(word)


def _is_common(word: str) -> bool:
    nouns = _wordnet_nouns()
    return not nouns or word in nouns or "-" in word


def _capital(word: str) -> bool:
    return word[:1].isupper()


def _bare(word: str) -> str:
    """Return a word without its possessive."""
    return re.sub(r"['’]s?$", "", word)


def capitalized(text: str) -> frozenset[str]:
    """Return the words, lower-cased, that a text writes with a capital inside sentences and never without.

    >>> sorted(capitalized("We met Rosa. The Lake is a lake. Rosa spoke."))
    ['rosa']
    """
    upper: set[str] = set()
    lower: set[str] = set()
    for sentence in _SENTENCE.split(text or ""):
        if sentence and not sentence.isupper():
            for word in _WORD.findall(sentence)[1:]:
                (upper if _capital(word) else lower).add(_bare(word).lower())
    return frozenset(upper - lower)


def dictionary_form(noun: str) -> str:
    """Return a noun's singular; unlike a lemma of any word it keeps nouns that end in -ing.

    >>> dictionary_form("paintings"), dictionary_form("herring"), dictionary_form("thieves")
    ('painting', 'herring', 'thief')
    """
    single = noun.removesuffix("s")
    if single in lexicon.NOUNS_IN_ING:
        return single
    base = lemma(noun)
    if noun.endswith("ves") and not _is_common(base):
        return next((f for f in (noun[:-3] + "f", noun[:-3] + "fe") if _is_common(f)), base)
    return base


@cache
def _wordnet_nouns() -> frozenset[str]:
    """Return the single words that the bundled WordNet lists as nouns; none if it is not installed."""
    try:
        file = bundled.folder("knowledge") / "wordnet.tsv.gz"
    except KgmmError:
        return frozenset()
    if not file.is_file():
        return frozenset()
    nouns = set()
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            subject, predicate, _ = line.split("\t", 2)
            word = subject[6:].split("/", 1)[0]
            if predicate == "IsA" and subject.startswith("/c/en/") and word.isalpha():
                nouns.add(word)
    return frozenset(nouns)


@cache
def _all_words() -> frozenset[str]:
    """Return lower-case words that are no names by themselves."""
    return lexicon.NEVER | lexicon.VERBS | lexicon.ADJECTIVES | _wordnet_nouns()


def is_noun(word: str) -> bool:
    """Tell whether a lower-case word, out of context, counts as a noun."""
    return _is_noun([word], 0, False)

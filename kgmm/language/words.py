"""Words: tokens, lemmas and the content of a phrase; what grounding, retrieval and reasoning compare."""

import re
import unicodedata
from functools import cache, lru_cache

from kgmm.errors import KgmmError

#: a word; letters with marks that no single character stands for are part of it
_TOKEN = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_]*)*(?:['’][^\W_]+)?")
_INITIALS = re.compile(r"(\b(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?|[^\W_]+(?:&[^\W_]+)+)")
_WITH_IS = frozenset({"what's", "where's", "who's", "that's", "it's", "what’s", "where’s", "who’s"})
_DETERMINER = re.compile(
    r"^(?:an?|the|some|any|your|you|someone|something|its|their|his|her|this|that|these|those|my|our|every|each)\s+"
)
#: Words that carry no content of their own in a question or fact.
STOP = frozenset(
    (
        "a an the some any your you someone something its their his her my our "
        "of in on at to for with by from as into and or than then so if not no "
        "is are am was were be been being can could may might will would shall should do does did has have had "
        "what which who whom whose where when why how this that these those there here "
        "it they he she we i me them us one ones "
        "image picture photo photograph shown show see seen object objects thing things "
        "used use using able capable found find often usually likely normally typically"
    ).split()
)
#: words that are their own lemmas, and forms of others, where simplemma says otherwise
_IRREGULAR = {"ping-pong": "ping pong"} | {
    word: word
    for word in (
        "left means glasses clothes clothing building ceiling saw lens bass less string during spade reed greed pajama"
        " tired bored wicked rugged ragged jagged weed stocking shilling"
    ).split()
}
_IRREGULAR |= (
    form.partition(":")[::2]
    for form in (
        "people:person persons:person men:man women:woman scissors:scissor wings:wing winged:wing does:do strings:string"
        " buildings:building playing:play thinking:think mixed:mix serving:serve closing:close growing:grow"
        " travelling:travel writing:write"
    ).split()
)


#: characters kept of words that stand in a picture
MOST_WRITTEN = 500


def written(text: str) -> str:
    r"""Return words as they stand somewhere: on one line, at most 500 characters, no controls, nothing that turns their order.

    >>> written("EXIT\n\u202eONLY")
    'EXIT ONLY'
    """
    spaced = " ".join(unicodedata.normalize("NFC", text[: 4 * MOST_WRITTEN]).split())
    return "".join(c for c in spaced if not unicodedata.category(c).startswith("C"))[:MOST_WRITTEN].strip()


@cache
def lemma(word: str) -> str:
    """Return the dictionary form of an English word in lower case.

    >>> lemma("Knives"), lemma("used"), lemma("people"), lemma("playing"), lemma("string")
    ('knife', 'use', 'person', 'play', 'string')
    """
    import simplemma

    word = word.lower()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 3:
        return word
    found: str = simplemma.lemmatize(word, "en").lower()
    if found == word and word.endswith("ing") and len(word) > 5:
        found = next((v for v in _stems(word) if simplemma.is_known(v, "en")), word)
    return _IRREGULAR.get(found, found)


def _stems(gerund: str) -> tuple[str, ...]:
    """Return the verbs a gerund may come from: cutting → cut, making → make."""
    stem = gerund[:-3]
    if stem[-1] == stem[-2] and stem[-1] not in "sl":
        return (stem[:-1],)
    return stem, stem + "e"


def tokens(text: str) -> list[str]:
    """Split text into lower-case words, underscores counting as spaces, accents as part of their letter.

    >>> tokens("The cat's on_the mat!")
    ['the', "cat's", 'on', 'the', 'mat']
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return [w[:-2] if w in _WITH_IS else w for w in _TOKEN.findall(plain.lower().replace("_", " "))]


def whole_characters(*texts: str) -> None:
    """Raise KgmmError for texts with half a character, as undecodable bytes of a command line become."""
    for text in texts:
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise KgmmError(f"{text!r} is no text: it holds bytes that are not UTF-8, or half a character")


def name_words(text: str) -> list[str]:
    """Split text into the words that names consist of: as :func:`tokens` does, but initials stay together.

    >>> name_words("AT&T in the U.S.A.")
    ['at&t', 'in', 'the', 'u.s.a.']
    """
    parts = _INITIALS.split(text)
    return [word for i, part in enumerate(parts) for word in ([part.lower()] if i % 2 else tokens(part))]


@lru_cache(1 << 18)
def lemmas(text: str) -> tuple[str, ...]:
    """Return the lemmas of all words of a text.

    >>> lemmas("riding two horses")
    ('ride', 'two', 'horse')
    """
    return tuple(lemma(w) for w in tokens(text))


@lru_cache(1 << 18)
def content(text: str) -> tuple[str, ...]:
    """Return the lemmas that carry content; all of them if none does.

    >>> content("used for cutting the bread")
    ('cut', 'bread')
    """
    words = tuple(w for w, raw in zip(lemmas(text), tokens(text), strict=True) if raw not in STOP and w not in STOP)
    return words or lemmas(text)


@lru_cache(1 << 18)
def plain(question: str) -> str:
    """Return a question in lower case, single blanks between its words, without its end mark.

    >>> plain("What  is red? ")
    'what is red'
    """
    return " ".join(question.lower().split()).rstrip(" ?.!")


def normal(text: str) -> str:
    """Return the form under which two names count as the same: lemmas without a leading determiner.

    >>> normal("A polar bear") == normal("polar bears")
    True
    """
    text = " ".join(tokens(text))
    bare = _DETERMINER.sub("", text)
    return " ".join(lemmas(bare or text))

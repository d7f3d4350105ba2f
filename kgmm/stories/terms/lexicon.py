"""Words that tell nouns from other words in the news, where WordNet does not; the lists themselves are ``lexicon.toml``."""

import tomllib
from pathlib import Path

_TEXT = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
_LISTS = {name: frozenset(words.split()) for name, words in tomllib.loads(_TEXT).items()}
#: never a noun; a noun only after a determiner, possessive, adjective or number
NEVER, VERBS, ADJECTIVES = _LISTS["never"], _LISTS["verbs"], _LISTS["adjectives"]
#: what makes the word after it a noun, and a verb
DETERMINERS, BEFORE_VERBS = _LISTS["determiners"], _LISTS["before_verbs"]
#: nouns that end as other words do
NOUNS_IN_ED, NOUNS_IN_ING, NOUNS_IN_LY = _LISTS["nouns_in_ed"], _LISTS["nouns_in_ing"], _LISTS["nouns_in_ly"]
TITLES = _LISTS["titles"]  #: stands before a name and is no part of it

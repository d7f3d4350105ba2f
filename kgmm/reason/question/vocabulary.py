"""The words that the grammar of questions knows: places, verbs of contact, kinds of no kind, colours, what ends a noun."""

import re

from kgmm.language.places import PREPOSITIONS

PREPOSITION = re.compile(rf"\b({'|'.join(sorted(map(re.escape, PREPOSITIONS), key=len, reverse=True))})\b")
#: Verbs that people use for what someone does with a seen object.
SCENE_VERBS = frozenset(
    "hold wear carry ride touch eat drink watch look face use pull push cover hang stand sit lie rest lean contain"
    " support surround decorate hug grip show play".split()
)
#: Words for a thing of no kind.
GENERIC = frozenset(
    "object thing item stuff something anything entity one ones part what everything kind type sort".split()
)
COLOURS = frozenset(
    "red orange yellow green blue purple violet pink brown black white grey gray silver gold golden beige tan"
    " turquoise cyan maroon navy cream".split()
)
ADJECTIVES = COLOURS | frozenset(
    "small big large little tiny huge tall short long wooden metal plastic glass striped round square old young"
    " open closed empty full bright dark shiny wet dry hot cold soft hard fluffy furry ceramic leather".split()
)
DETERMINER = r"(?:the|an?|this|that|these|those|some|any|your|his|her|its|their|all|each|every)"
ARTICLE = re.compile(r"\b(?:the|an?)\b")
POSITIONS = {
    "left": r"(?:on|at|to|in) (?:the )?(?:far |very )?left(?:[- ]hand)?(?: side| part)?(?! of)|leftmost",
    "right": r"(?:on|at|to|in) (?:the )?(?:far |very )?right(?:[- ]hand)?(?: side| part)?(?! of)|rightmost",
    "middle": r"(?:in|at) (?:the )?(?:middle|cent(?:er|re))(?: part)?(?! of)",
    "top": r"(?:at|on|in) (?:the )?(?:very )?top(?: part)?(?! of)|topmost",
    "bottom": r"(?:at|on|in) (?:the )?(?:very )?bottom(?: part)?(?! of)",
    "front": r"in (?:the )?(?:foreground|front)(?! of)",
    "back": r"in (?:the )?background",
}
VERB_START = re.compile(
    r"\b(?:is|are|was|were|can|could|may|might|would|will|should|has|have|having|does|do|belongs?|used|wants?|contains?|lives?"
    r"|grows?|made|capable|able|related|often|usually|sometimes|likes?|loves?|needs?|causes?|helps?|makes?|symboli[sz]es?"
    r"|keeps?|gives?|produces?|eats?|runs?|flies|swims?|barks?|requires?|provides?|allows?|protects?|shows?|tends?)\b"
)
_ING = {"lie": "lying", "sit": "sitting", "hug": "hugging", "grip": "gripping", "lean": "leaning"}


def ing(verb: str) -> str:
    """Return what someone is doing by a verb of contact.

    Example:
        >>> ing("ride"), ing("sit")
        ('riding', 'sitting')
    """
    return _ING.get(verb, f"{verb.removesuffix('e')}ing")

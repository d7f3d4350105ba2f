"""What tells that two spellings may be of one name: forms of address, forms of companies, abbreviations that nobody explains."""

from __future__ import annotations

import re

#: before a name and no part of it; what else names begin with (``King``, ``Prince``, ``General``) is part of some
ADDRESS = frozenset(
    "mr mrs ms dr prof professor sir dame president senator congressman congresswoman chancellor governor mayor sheikh reverend rev"
    " ayatollah".split()
)
BEFORE = frozenset({("prime", "minister"), ("vice", "president"), ("foreign", "minister"), ("first", "lady")})
COMPANY = frozenset("inc incorporated corp ltd plc llc gmbh ag nv co".split())
#: what texts do not explain since everybody knows it: written in capitals on the left, in full on the right
KNOWN = {
    "us": "united states",
    "u s": "united states",
    "usa": "united states",
    "u s a": "united states",
    "united states of america": "united states",
    "uk": "united kingdom",
    "u k": "united kingdom",
    "eu": "european union",
    "e u": "european union",
    "un": "united nations",
    "u n": "united nations",
    "ussr": "soviet union",
    "uae": "united arab emirates",
    "nyc": "new york city",
}
#: first words of names that are of places and institutions, whose last word alone is something else
NO_PERSON = frozenset(
    "new north south east west northern southern eastern western central upper lower great greater little old san santa los las el la le"
    " saint st mount mt lake fort port cape university college royal national united republic grand high hong costa sierra puerto rio sri"
    " the holy black white red blue golden first second third american british french german italian spanish english".split()
)
PERSON_BEFORE = re.compile(
    r"(?:\b(?:directed|written|composed|produced|performed|starring|played|sung|painted|edited|founded|designed|created) (?:and \w+ )?by"
    r"|\b(?:son|daughter|wife|husband|brother|sister|father|mother|widow|child|nephew|niece|grandson|granddaughter) of"
    r"|\b(?:married|wife|husband|son|daughter|brother|sister|father|mother|starring|stars)"
    r"|\b(?:Mr|Mrs|Ms|Dr|Sir|Dame|President|Senator|Prime Minister|Chancellor|Professor)\.?),? $"
)
PLACE_BEFORE = re.compile(r"\b(?:in|at|near|from|to|of|across|throughout|through) (?:the )?$", re.I)
AT_BEFORE = re.compile(r"\b(?:in|at|near|from|across|throughout) (?:the )?$", re.I)
#: names the subject has besides, where its first sentence says so
ALIAS = re.compile(
    r"(?:\b(?:also|better|commonly|popularly|professionally|often|best|formerly|mostly|sometimes|generally|usually|or)?,? ?"
    r"(?:known|credited|billed) (?:\w+ly )?as|\bstage name(?: of)?|\bn[ée]e?|\bborn|\baka|\ba\.k\.a\.|[Aa]bbreviated(?: as)?|\bor)\s*[\"“”'‘]?\s*$"
)
#: places that lie in many countries, where none is said
MANY = frozenset(
    "washington georgia victoria santiago birmingham cambridge wellington granada cordoba valencia merida columbia lincoln richmond springfield"
    " kingston newcastle san jose florence athens troy alexandria manchester bristol perth hamilton halifax".split()
)
MAKER_BEFORE = re.compile(
    r"\b(?:(?:directed|written|composed|produced|edited|scored|choreographed)(?: and \w+)? by|starring|stars|film by|screenplay by|music by"
    r"|(?:film|music|screen) ?(?:director|composer|writer|producer)|actor|actress|director) $"
)
ARTS = re.compile(
    r"\b(?:film|movie|cinema|director|actor|actress|actors|comedian|theatre|theater|television|TV|screenwriter|playwright|novelist|author|writer|poet|composer|composed"
    r"|music|musician|singer|song|songs|album|band|dancer|producer|wrote|novel|novels|plays?|artist|opera|journalist)s?\b",
    re.I,
)

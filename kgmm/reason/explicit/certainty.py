"""How sure a computed answer is, by what it rests on, and from where on two texts are taken to say the same.

Set by hand and not fitted: they order the rules' answers among themselves, and above the thresholds of
:mod:`kgmm.reason.ranking` all of them are given. In [0, 1].
"""

# what is seen
LISTED = 0.9  # nothing that fits is seen in a complete scene, all that is seen is listed
NONE_SEEN = 0.8  # "no": nothing fits in a complete scene, or the scene says nothing of the kind
SHOWN = 0.95  # "yes": the object has the attribute asked for
SHOWN_OTHER = 0.9  # "no": the object has another colour or size; also the share of an attribute that is named
LAST_WORDS = 0.95  # the object's name ends in the words asked for
BOXES = 0.8  # one box is beside, above, inside another; or larger
BOXES_NAMED = 0.7  # the relation of two boxes where none is asked for
SIDE = 0.6  # a box is in the left, middle or right part of the picture
FURTHER_PLACE = 0.5  # the second and third place something is at
LOSER, OTHERS = 0.2, 0.1  # what is compared and is not the answer
# what is known
KIND = 0.9  # a chain of kinds leads to the kind asked for
NO_KIND = 0.7  # kinds of it are known, and none is the one asked for
NUMBERED = 0.8  # a fact says how many
VALUE = 0.7  # a fact gives a colour, size, material or shape
UNDENIED = 0.6  # what a description denies is neither known nor denied
PROPERTY = 0.9  # only one of two things has the property: from here on it decides
COMPARED = 0.8  # which of two is more
INHERITED = 0.97  # a step up the chain of kinds
# when a fact says what is asked
SUPPORT = 0.6  # a fact supports a condition from here on
REFUTED = 0.95  # a denial has to say all that is asked to count against a thing
SAME_MEANING = 0.72  # a cosine must be near identity to replace shared words
SAID, COVERED = 0.75, 0.25  # weights: what is asked that a fact says, and what it says that is asked
MEANING = 0.4  # from SUPPORT at SAME_MEANING to full support at a cosine of 1
# when rules and a trained scorer agree, and what a choice has to say
FITS = 0.8  # the only thing that fits a description counts from here on (FVQA: 272 of 273 right) …
AGREED = 0.95  # … and is this sure, if the scorer names it too
CHOICE = 0.8  # cosine from which an end of a fact says a choice
NEAREST_CHOICE = 0.5  # cosine from which a choice says a computed answer

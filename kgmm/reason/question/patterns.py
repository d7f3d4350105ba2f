"""Tables of phrases: how English asks by a relation, each pattern with the relations it states."""

import re

from kgmm.language.relations import phrased

_OF_VERBS = phrased(r"""
    MadeOf: ^(?:(?:is|are|be|was|were|get|gets) )?(?:\w+ly )?(?:made|built|composed|consist\w*|constructed) (?:up )?(?:out )?(?:of|from|with) (?P<x>.+)
    UsedFor CapableOf ReceivesAction: ^(?:(?:is|are|be|can be|could be|may be) )?(?:\w+ly |often |also )?(?:used|useful|good|meant|intended|designed|employed|needed) (?:for|to|in|as|when|by|while|during) (?P<x>.+)
    UsedFor: ^(?:do |would |could |can |might )?(?:you|we|people|someone|one) (?:can |could |would )?use (?:for|to|in|when) (?P<x>.+)
    UsedFor CapableOf: ^(?:(?:can|could|would|will|might) )?help(?:s)? (?:you |us |people |someone )?(?:to )?(?P<x>.+)
    CapableOf UsedFor HasProperty: ^(?:(?:is|are|was|were|be|being) )?(?:capable of|able to|known (?:for|to)) (?P<x>.+)
    AtLocation LocatedNear: ^(?:can|could|may|might|is|are|would)?(?: be| you| we)? ?(?:\w+ly |often )?(?:found|find|located|seen|kept|stored|placed|live|lives|living) (?:in|at|on|near|inside|under|around|within|by) (?P<x>.+)
    AtLocation: ^(?:live|lives|belong|belongs|grow|grows|occur|occurs) (?:in|at|on|inside|under|near) (?P<x>.+)
    PartOf AtLocation: ^(?:is|are) (?:a |an )?(?:part|parts|component|piece) of (?P<x>.+)
    HasA HasProperty PartOf: ^(?:has|have|having|with|contains?|owns?|own) (?P<x>.+)
    Desires CapableOf: ^(?:wants?|desires?|likes?|loves?|needs?|enjoys?|wish(?:es)?|prefers?)(?: to)? (?P<x>.+)
    IsA: ^(?:(?:is|are) )?(?:belongs?|belonging) to (?:the )?(?:category|class|family|group|genus|order|kind)?(?: of)? ?(?P<x>.+)
    IsA: ^(?:is|are) (?:a |an )?(?:kinds?|types?|sorts?|forms?|species|subclass|instance|example|member)s? of (?P<x>.+)
    RelatedTo: ^(?:(?:is|are) )?(?:related|associated|connected|linked) (?:to|with) (?P<x>.+)
    Causes CapableOf UsedFor CreatedBy: ^(?:causes?|leads? to|results? in|makes?) (?P<x>.+)
    CreatedBy: ^(?:is|are) (?:created|produced|made|painted|written|laid) by (?P<x>.+)
    SymbolOf: ^(?:is|are) (?:a )?symbols? (?:of|for) (?P<x>.+)|^(?:symboli[sz]es?|represents?|stands? for) (?P<y>.+)
    ReceivesAction UsedFor CapableOf HasProperty: ^(?:can|could|may|might|would|will|do|does) be (?P<x>\w+(?:ed|en|t|own|ten|ught|ck|ng|de|lt|ad|ead)\b.*)
    CapableOf UsedFor HasProperty: ^(?:can|could|may|might|would|will|does|do|often|sometimes|usually) (?P<x>.+)
    IsA HasProperty: ^(?:is|are|was|were) (?:an? )(?P<x>.+)
    HasA MadeOf Contains HasProperty: ^(?:is|are|was|were) (?:full of|filled with) (?P<x>.+)
    HasProperty IsA ReceivesAction: ^(?:is|are|was|were) (?P<x>.+)
""")
#: (pattern over the verb phrase, relations it states); the group ``x`` is the constraint.
RELATION_PHRASES = [(re.compile(pattern), tuple(relations.split())) for pattern, relations in _OF_VERBS]
#: (pattern over a whole question, relations): the question asks for the other end of a fact about ``n`` or ``m``.
OTHER_END = phrased(r"""
    UsedFor CapableOf: ^what (?:is|are|was) (?P<n>.+?) (?:\w+ly )?(?:used|good|useful|meant|intended|designed|needed|employed) (?:for|to do)$
    UsedFor CapableOf ReceivesAction: ^(?:what|how) (?:can|could|do|would|might|may|should) (?:you|we|people|one|someone|i|a person) (?:\w+ly )?(?:use|do with) (?P<n>.+?)(?: for| to do)?$
    UsedFor CapableOf: ^what (?:can|could|may|might|would) (?P<n>.+?) (?:\w+ly )?be (?:used|good|useful|employed) (?:for|to do)$
    UsedFor: ^what (?:is|are) (?P<n>.+?) (?:there )?for$
    UsedFor CapableOf: ^what (?:is|are) the (?:main |usual |common )?(?:use|purpose|function|job|role)s? of (?P<n>.+)$
    UsedFor: ^(?:why|what for) (?:do|would|might|could|does) (?:you|we|people|one|someone|anyone|a person) (?:need |want )?(?:to )?(?:use|have|need|keep|want|own) (?P<n>.+)$
    UsedFor: ^how (?:is|are) (?P<n>.+?) (?:\w+ly )?used$
    MadeOf: ^what (?:is|are) (?P<n>.+?) (?:\w+ly )?(?:made|built|composed|constructed) (?:out )?(?:of|from)$
    PartOf: ^what (?:is|are) (?P<n>.+?) (?:a )?(?:part|parts|component) of$
    SymbolOf: ^what (?:is|are) (?P<n>.+?) (?:a )?symbols? (?:of|for)$|^what (?:does|do) (?P<m>.+?) (?:symboli[sz]e|represent|stand for)$
    IsA: ^what (?:kind|type|sort|category|class) of (?:thing|object|animal|item|creature|tool|food|vehicle|furniture|device|instrument|plant|fruit|utensil|container)?s? ?(?:is|are) (?P<n>(?:the|an?) .+)$|^what (?:kind|type|sort) of thing (?:is|are) (?P<m>.+)$
    IsA: ^what (?:category|class|kind|type|family) (?:is|are|does) (?P<n>.+?)(?: belong to| in)?$
    IsA: ^what (?:does|do) (?P<n>.+?) belong to$
    CapableOf: ^what (?:can|could|might) (?P<n>(?!(?:you|we|i|one|people|someone) do).+?) do$|^what (?:is|are) (?P<m>.+?) (?:capable of(?: doing)?|able to do|known for)$
    CapableOf UsedFor: ^what (?:does|do) (?P<n>.+?) (?:\w+ly )?do$
    HasA: ^what (?:parts? )?(?:does|do) (?P<n>.+?) (?:\w+ly )?(?:have|contain|possess|own)(?: as (?:an? )?parts?)?$
    HasA PartOf: ^what (?:is|are) (?:the |an? )?parts? of (?P<n>.+)$
    Desires: ^what (?:does|do|would) (?P<n>.+?) (?:\w+ly )?(?:want|like|desire|love|enjoy|need|prefer)(?: to do)?$
    Causes: ^what (?:does|do|can|could) (?P<n>.+?) cause$|^what (?:is|are) the (?:effect|result|consequence)s? of (?P<m>.+)$
    CreatedBy: ^(?:who|what) (?:made|makes|make|created?|creates|produced|produces|built|builds|painted) (?P<n>.+)$
    AtLocation: ^where (?:can|could|would|do|does|might|should|will|did|may) (?:you|we|people|one|someone|i)?\s*(?:\w+ly |often |also )?(?:find|see|buy|keep|put|store|get|meet|place|look for|expect(?: to find)?) (?P<n>.+)$
    AtLocation: ^where (?:is|are|can|could|might|may|would) (?P<n>.+?) (?:\w+ly |often |commonly )?(?:be )?(?:found|kept|located|stored|seen|placed|live|bought|sold|used)$
    AtLocation: ^where (?:does|do|would|should|might) (?P<n>.+?) (?:\w+ly )?(?:\w+|come from)$
    HasProperty: ^what (?:is|are) (?:the )?(?:propert(?:y|ies)|characteristics?|features?) of (?P<n>.+)$|^what propert(?:y|ies) (?:does|do) (?P<m>.+?) have$
    HasProperty: ^how (?:does|do|would|is|are) (?P<n>.+?) (?:look|taste|feel|smell|sound|be described)$|^how would you describe (?P<m>.+)$
    HasPrerequisite UsedFor: ^what (?:do|would|does) (?:you|one|someone|a person) need (?:in order )?to (?P<n>.+)$
    HasPrerequisite Desires: ^what (?:do|would|does) (?P<n>.+?) need (?:in order )?to \w+.*$
    Antonym: ^what (?:is|are) (?:the )?(?:opposite|antonym) of (?P<n>.+)$
    Synonym: ^what (?:is|are) (?:a |another )?(?:synonym|word|name) (?:of|for) (?P<n>.+)$
""")
#: The same, where the answer is at, in or on what is named.
INVERSE = phrased(r"""
    AtLocation HasA PartOf LocatedNear: ^what (?:else |other \w+ )?(?:can|could|would|might|will|do|are|is|should) (?:you |we |people )?(?:\w+ly |often |also )?(?:likely )?(?:to )?(?:be )?(?:find|found|see|seen|expect) (?:in|at|on|inside|near) (?P<n>.+)$
    AtLocation HasA PartOf: ^what (?:\w+ )?(?:are|is) (?:you )?(?:likely|usually|often|normally)(?: to find| found)? (?:in|at|on) (?P<n>.+)$
""")

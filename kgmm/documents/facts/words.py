"""The words that patterns know: roles, kin, verbs, kinds of places and works, nationalities, and what makes a sentence unsure."""

from __future__ import annotations

import re

#: after these a sentence is no statement of its document: questions, negation, hearsay, what might be, fiction
UNSURE = re.compile(
    r"\b(?:if|whether|suppos\w+|perhaps|probably|possibly|presumably|allegedly|reportedly|apparently|supposedly|maybe|might|would|could"
    r"|should|may|must|will|shall|can|hop(?:e|es|ed|ing)|want(?:s|ed)?|plan(?:s|ned)?|claim\w*|sa(?:id|ys?|ying)|t(?:ell|ells|old)|believ\w+|accord(?:ing|s)"
    r"|legend\w*|myth\w*|rumou?r\w*|den(?:y|ies|ied)|fiction\w*|thought|thinks?|wrote that|report(?:s|ed)|accus\w+|alleg\w+"
    r"|seem\w*|appear(?:s|ed) to|pretend\w*|imagin\w+|dream\w*|wish\w*|almost|nearly|disput\w+|uncertain|unclear|unknown|tradition\w*"
    r"|hypothe\w+|propos\w+|intend\w+|as though|(?:to|have|had|having) (?:be|been|have)|likely|considered|regarded|in (?:the|a|his|her|its|this) "
    r"(?:novel|film|story|book|play|series|game|episode|poem|song|dream|movie|comic)s?|born again|mistak\w+|false\w*|wrong\w*|hoax)\b"
    r"|\b(?:If|Whether|Suppose|Perhaps|Maybe|Had|According|In (?:the|a|this) (?:novel|film|story|book|play|series|game|dream)|Like|Nobody|Nothing|None)\b"
)
NEGATION = re.compile(
    r"\b(?:not|never|no|nor|neither|nobody|none|nothing|without|cannot|hardly|Neither|No|Not|Never|Without|former|formerly|once|ex)\b|n['’]t\b"
)
ROLE = (
    r"(?:vice[- ]|deputy |interim |acting |co-)*(?:capital|king|queen|emperor|empress|duke|duchess|count|countess|earl|margrave|president"
    r"|prime minister|chancellor|chairman|chairwoman|chairperson|chair|ceo|CEO|chief executive(?: officer)?|head|leader|mayor|governor"
    r"|bishop|archbishop|pope|abbot|abbess|secretary|treasurer|captain|head coach|editor-in-chief|editor|foreign minister"
    r"|ambassador|owner|dean|rector|principal|commander|sultan|shah|ruler|premier|speaker|director|manager)"
)
KIN_ADJECTIVE = (
    r"(?:(?:eldest|elder|oldest|only|youngest|younger|first|second|third|fourth|fifth|sixth|illegitimate|legitimate|natural|adopted"
    r"|surviving|late|last) )*"
)
#: verbs of making, and the relation from what is made to its maker
MADE = {
    "directed": "DirectedBy",
    "co-directed": "DirectedBy",
    "written": "WrittenBy",
    "co-written": "WrittenBy",
    "composed": "ComposedBy",
    "produced": "ProducedBy",
    "founded": "FoundedBy",
    "co-founded": "FoundedBy",
    "established": "FoundedBy",
    "designed": "DesignedBy",
    "built": "BuiltBy",
    "created": "CreatedBy",
    "painted": "PaintedBy",
    "invented": "InventedBy",
    "discovered": "DiscoveredBy",
    "performed": "PerformedBy",
    "sung": "PerformedBy",
    "recorded": "PerformedBy",
    "published": "PublishedBy",
    "developed": "DevelopedBy",
}
ACTIVE = {
    "directed": "DirectedBy",
    "wrote": "WrittenBy",
    "composed": "ComposedBy",
    "founded": "FoundedBy",
    "co-founded": "FoundedBy",
    "invented": "InventedBy",
    "painted": "PaintedBy",
    "discovered": "DiscoveredBy",
    "designed": "DesignedBy",
    "established": "FoundedBy",
}
DATED = {
    "founded": "FoundedOn",
    "established": "FoundedOn",
    "released": "ReleasedOn",
    "published": "PublishedOn",
    "built": "BuiltOn",
}
INFOBOX = {
    "born": "BornOn",
    "date of birth": "BornOn",
    "birth date": "BornOn",
    "place of birth": "BornIn",
    "birthplace": "BornIn",
    "died": "DiedOn",
    "date of death": "DiedOn",
    "place of death": "DiedIn",
    "spouse": "MarriedTo",
    "wife": "MarriedTo",
    "husband": "MarriedTo",
    "nationality": "Nationality",
    "occupation": "IsA",
    "profession": "IsA",
    "directed by": "DirectedBy",
    "director": "DirectedBy",
    "written by": "WrittenBy",
    "author": "WrittenBy",
    "writer": "WrittenBy",
    "composer": "ComposedBy",
    "music by": "ComposedBy",
    "produced by": "ProducedBy",
    "producer": "ProducedBy",
    "founder": "FoundedBy",
    "founded": "FoundedOn",
    "established": "FoundedOn",
    "release date": "ReleasedOn",
    "released": "ReleasedOn",
    "country": "LocatedIn",
    "location": "LocatedIn",
    "capital": "HasCapital",
    "father": "ChildOf",
    "mother": "ChildOf",
    "parents": "ChildOf",
    "starring": "Stars",
    "publisher": "PublishedBy",
}
PLACES = frozenset(
    "city town village municipality commune country region province district county state river lake mountain island hamlet parish suburb"
    " neighbourhood neighborhood borough capital port castle museum church cathedral school university college airport station hotel"
    " bridge park valley peninsula settlement township canton department territory hospital library theatre stadium village community".split()
)
WORKS = frozenset(
    "film movie song single album novel book play opera poem series miniseries sitcom documentary comedy drama musical western thriller"
    " romance game painting short serial".split()
)
#: heads of what follows "is a" that say no kind
NO_KIND = frozenset(
    "answer friend member part pity suspect number lot set example way time symbol result reason problem matter son daughter child brother"
    " sister wife husband father mother cousin nephew niece uncle aunt grandson granddaughter descendant supporter success failure"
    " must place sequel prequel follow-up follow remake adaptation version piece bit case question fact favourite favorite candidate"
    " victim fan student pupil native resident citizen relative half majority minority variety range series' stranger boy girl liar"
    " combination mixture mix collaboration reference response reaction source cause blend pair couple one name term word title kind type"
    " sort form recipient winner finalist graduate alumnus nominee participant contestant guest regular signatory subject".split()
)
_PEOPLE = (
    "afghan albanian algerian american andorran angolan argentine argentinian armenian australian austrian azerbaijani bahamian bangladeshi"
    " bavarian belarusian belgian bolivian bosnian brazilian british bulgarian burmese cambodian cameroonian canadian chilean chinese"
    " colombian congolese croatian cuban cypriot czech czechoslovak danish dutch ecuadorian egyptian english estonian ethiopian finnish"
    " flemish frankish french georgian german ghanaian greek guatemalan haitian hungarian icelandic indian indonesian iranian iraqi irish"
    " israeli italian ivorian jamaican japanese jordanian kazakh kenyan korean kosovan kuwaiti latvian lebanese liberian libyan"
    " lithuanian luxembourgish macedonian malaysian maltese mexican moldovan mongolian montenegrin moroccan nepalese nigerian norwegian"
    " pakistani palestinian panamanian paraguayan persian peruvian philippine filipino polish portuguese prussian roman romanian russian"
    " rwandan saudi scottish senegalese serbian singaporean slovak slovenian somali soviet spanish sudanese swedish swiss syrian"
    " taiwanese tanzanian thai togolese tunisian turkish ugandan ukrainian uruguayan venezuelan vietnamese welsh yugoslav zambian zimbabwean"
).split()
NATIONALITY = re.compile(
    rf"(?:(?:North|South|East|West|New) )?(?:{'|'.join(p.capitalize() for p in sorted(_PEOPLE, key=len, reverse=True))})"
    rf"(?:[-–](?:born )?(?:{'|'.join(p.capitalize() for p in sorted(_PEOPLE, key=len, reverse=True))}))?(?= (?!rules)|$)|South African(?= |$)"
)
#: heads of kinds that are persons, by their endings, and some others
AGENT = re.compile(
    r"(?:\w+(?:er|or|ist|ian|ess|eer|ant|man|woman|smith|wright|crat|path|logue|player|naut|arch|ier|eur)|poet|priest|monk|nun|judge|noble|king|queen|chef"
    r"|cook|spy|pilot|saint|knight|rabbi|critic|mechanic|cleric|bishop|pope|fellow|athlete|host|model|diplomat|chemist|nurse|coach"
    r"|activist|cyclist|swimmer|golfer|scholar|student|slave|senator|baron|duke|count|hero|thief|pirate)s?"
)
NO_AGENT = frozenset(
    "river tower water computer paper number letter order member winter summer theater center thriller motor sculptor's power".split()
)

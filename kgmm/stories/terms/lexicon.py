"""Words that WordNet also lists as nouns but that news mostly uses otherwise; what the extraction of terms leaves out."""

from __future__ import annotations

_NEVER = """
a about above across after again against ago all almost alone along already also although always am among amid an
and another any anyone anything are around as aside at away back be because been before behind being below beneath
beside besides between beyond both but by can cannot could despite did do does doing done down during each early either somebody
else enough even ever every everyone everything except few first for former from further had has have having he her
here hers herself him himself his how however i if in inside instead into is it its itself just last late later
latest least less like many may me might mine more most much must my myself near nearby nearly neither never next no
nobody none nor not nothing now of off often on once one only onto or other others our ours out outside over own past
per perhaps quite rather same second several shall she should since so some someone something soon still such than
that the their theirs them themselves then there these they third this those though through throughout till to
together too toward towards under unless until up upon us very was we well were what whatever when where whether which
while who whoever whole whom whose why will with within without would yes yet you your yours yourself
two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
hundred thousand million billion dozen half double fourth fifth sixth
mr mrs ms dr sir lady today tonight tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday
january february march april june july august september october november december
thing things way lot kind sort bit matter case fact good
day days week weeks month months year years hour hours minute minutes second time times night nights afternoon noon
midnight weekend century centuries decade decades moment metre metres kilometre kilometres mile miles hectare hectares
kilo kilos degree degrees cent cents headline headlines part side half
won froze frozen lit led fled fed blew flew grew drew threw burnt swum swam sung sang
good evening morning hello thanks thank
"""
_VERBS = """
accept accuse add admit agree aim allow announce appeal appear argue arrive ask avoid await ban be beat become beg
begin believe belong bend bite blame blow break breathe bring broke build burn burst buy call came carry catch cause
celebrate change check choose claim clap clear climb close collapse come compare complain confirm consider contain continue
cost count cover crawl cross cry cut deal decide deny depend describe die divide drown dig draw dress drink drive drop earn eat
empty end enjoy escape expect explain face fail fall fear feed feel fell felt fight fill find finish fit fix flow fly
follow forget found freeze gather get give go gone grow guard hang happen hear help hide hit hold hope hurt improve include
insist intend join jump keep kick kill know land last laugh launch lay lead lean learn leave left lend let lie lift
listen live look lose lost love made make march mark may mean meet melt mend miss mount move name need note offer open
order overflow own paint pass pay pick place plan play point pour praise prepare press promise prove pull push put
queue raise ran reach react read reassure receive recover refuse release remain remember remove replace reply report
rescue rest return ride ring rise rose run save saw say see seem sell send serve set settle shake share shine shoot shrink
show shut sing sink sit sleep slide slip slow smell smile speak spend split spread stand start stay steal stick stop
stretch strike struggle study succeed suffer suggest support swell swim swing take talk teach tear tell test think
throw tie touch train travel tread tried trust try turn urge use visit vote vow wait wake walk want warn wash watch
wave wear win wipe wish wonder work worry write yield
"""
_ADJECTIVES = """
able active actual afraid alert angry anxious aware bad best better big bitter black blue bold brave brief bright
broad brown busy calm cheap clean clear clever close cold common complete cool correct crowded cruel dark dead deaf
dear deep dense different difficult dirty double dry due dull eager early easy eastern empty entire equal exact extra
faint fair false familiar famous fast fat final fine firm flat flooded foreign forward frail free fresh full future
general gentle glad golden grand grateful gray great green grey guilty happy hard harsh heavy high hollow holy honest
hot huge human ill immediate important independent individual industrial inner joint keen key kind large late lean
legal light likely little live local lonely long loose loud low lucky mad main major male mass maximum medical mere
middle mild military minimum minor missing modern mobile moral muddy narrow national native natural neat new nice
noble normal northern nuclear obvious odd official old open orange ordinary original outdoor overnight pale parallel
particular patient perfect permanent pink plain pleasant polite poor popular possible present previous primary private
prompt proper proud public pure purple quick quiet rare raw ready real recent red regional regular rescued rich right
rigid rival rough round royal rural sad safe secret senior separate serious severe sharp short shy sick silent silver
similar simple single slight slow small smart smooth social soft solar solid sorry sound sour southern spare special
stable standard steady steep stiff straight strange strict strong sudden sure sweet swift tall temporary tender
terrible thick thin tight tiny tired top total tough tropical true typical upper urban urgent usual vague valid various
vast violent visible warm weak wealthy weekly western wet white wide wild willing wise worth wooden wrong yellow young
"""
#: never a noun in what we read
NEVER = frozenset(_NEVER.split())
#: a noun only after a determiner, possessive, adjective or number ("the strike", "a long walk")
VERBS = frozenset(_VERBS.split())
ADJECTIVES = frozenset(_ADJECTIVES.split())
#: what makes the word after it a noun
DETERMINERS = frozenset(
    "a an the this that these those its their his her our your my no every each some any another".split()
)
#: what makes the word after it a verb
BEFORE_VERBS = frozenset("to i we they he she it you who will would can could may might must should cannot not".split())
#: ends in -ed or -ing and yet is a noun
NOUNS_IN_ED = frozenset("bed shed seed speed feed breed weed reed need deed seabed watershed hatred".split())
NOUNS_IN_ING = frozenset(
    "building meeting hearing ruling landing funding crossing painting opening warning flooding housing wing ring "
    "king spring string wedding training farming fishing mining banking beginning clothing lightning ceiling railing "
    "drawing recording shipping nursing parking hatching sewing sailing sibling pudding wiring piping scaffolding "
    "engineering thing evening morning".split()
)
#: ends in -ly and yet is a noun
NOUNS_IN_LY = frozenset("family assembly ally supply reply rally belly fly lily jelly monopoly anomaly italy".split())
#: stands before a name and is no part of it
TITLES = frozenset("dr mr mrs ms sir lady prime minister president professor mayor general judge senator".split())

"""Whether a sentence is in another language than English, by its small words: enough to say so, not to read it."""

from kgmm.language.words import tokens

_SMALL_WORDS = {
    "German": "der die das den dem des ein eine einen einem ist sind war hat haben was wer wie wo wann warum welche welcher welches"
    " und oder nicht kein keine auf mit von für zu im am bei aus ich du er sie es wir ihr kann gibt wieviele",
    "French": "le la les un une des du de est sont était qui que quoi quel quelle quels quelles où quand comment pourquoi et ou ne pas"
    " dans sur avec pour au aux ce cette ces il elle on nous vous ils y combien qu c d l",
    "Spanish": "el la los las un una unos es son está están era qué que quién quien cuál cual dónde donde cuándo cómo por para y o no en"
    " con de del al este esta hay cuántos cuántas se lo su",
    "Italian": "il lo la i gli le un una è sono era che chi cosa quale dove quando come perché e o non in su con per di del della al"
    " questo questa c quanti quante si",
    "Dutch": "de het een is zijn was wat wie waar wanneer waarom hoe welke en of niet geen op in met van voor te aan bij er dit dat hoeveel",
    "Portuguese": "o a os as um uma é são está que quem qual onde quando como por para e ou não em com de do da no na este esta há quantos",
}
_ENGLISH = frozenset(
    "a the an as is are was were be been has have had does do did can could will would should may might what which who whom whose where when"
    " why how than and or not no of on in at with from for to by this that these those it its there any some".split()
)
_FOREIGN = {language: frozenset(words.split()) - _ENGLISH for language, words in _SMALL_WORDS.items()}


def other_language(text: str) -> str:
    """Return the language of a sentence with more of its small words than English ones; '' for English and what is unclear.

    Example:
        >>> other_language("Welches Tier ist auf dem Bild?"), other_language("What is on the table?"), other_language("cat?")
        ('German', '', '')
    """
    said = set(tokens(text))
    counts = {language: len(words & said) for language, words in _FOREIGN.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= 2 and counts[best] > len(_ENGLISH & said) else ""

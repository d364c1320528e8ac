"""Words by which lists say whether an entry stands: removed, false, harmless, of a status. Pure.

Lists name such a column in many ways, and in their makers' language. A column that is not known by
its name and has a word of these is never left out in silence.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_CAMEL: Final = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-Z])")
_WORD: Final = re.compile(r"[^\W_]+")
# Beginnings of words without accents, in English, German, French, Spanish, Italian, Portuguese,
# Dutch, Polish and Swedish.
_STEMS: Final = (
    *("remov", "delet", "withdr", "revo", "retract", "rescind", "tombst", "purge", "obsol"),
    *("deprec", "inactiv", "inaktiv", "disabl", "exclud", "gelosch", "geloesch", "losch", "loesch"),
    *("entfern", "widerruf", "zuruckgez", "supprim", "suppress", "efface", "retir", "inactif"),
    *("elimin", "borrad", "rimoss", "rimoz", "cancell", "cancelad", "apagad", "remoc", "excluid"),
    *("verwijder", "intrek", "ingetrok", "usun", "skasow"),
    *("bortta", "radera", "upphav", "aterkall", "makuler"),
    *("status", "statut", "estado", "etat", "stato", "zustand", "verdict", "veredict", "verdet"),
    *("verdikt", "urteil", "disposit", "dispost", "disput", "bestritt", "contest", "werdykt"),
    *("expir", "abgelauf", "ablauf", "caduc", "vencid", "vencim", "perim", "scadut", "scaden"),
    *("verlop", "verval", "wygas", "utgang", "fals", "vals", "faux", "fauss", "onjuist", "felakt"),
    *("negativ", "benign", "harmless", "harmlos", "innoc", "inoffens", "inofens", "innocu"),
    *("unbedenkl", "unschadl", "anodin", "onschadel", "nieszkod", "ofarlig", "malicious"),
    *("whitelist", "allowlist"),
)
_LONG: Final = tuple(stem for stem in _STEMS if len(stem) > 5)  # also inside a compound word
_WHOLE: Final = frozenset(("fp", "state", "safe", "stan"))
_HARMLESS: Final = frozenset(
    (
        *("negativeclass", "negative", "nonmalicious", "notmalicious", "falsepositive", "fp"),
        *("falsepositives", "benign", "harmless", "innocuous", "notharmful", "nonviolating"),
        *("notcsam", "noncsam", "whitelisted", "allowlisted"),
    )
)


def words_of(name: str) -> list[str]:
    """Return the words of a name, also of one in camel case.

    >>> words_of("IsDeleted"), words_of("SHA-1"), words_of("record_status")
    (['is', 'deleted'], ['sha', '1'], ['record', 'status'])
    """
    return _WORD.findall(_CAMEL.sub(" ", unicodedata.normalize("NFC", name)).casefold())


def speaks_of_standing(words: Iterable[str]) -> bool:
    """Return whether a column with these words in its name may say that an entry does not count.

    >>> speaks_of_standing(["gelöscht"]), speaks_of_standing(["date", "added"])
    (True, False)
    """
    return any(
        word in _WHOLE or word.startswith(_STEMS) or any(stem in word for stem in _LONG)
        for word in map(_bare, words)
    )


def says_harmless(label: str) -> bool:
    """Return whether a label says that its entry is harmless, in any spelling.

    >>> says_harmless("NON_MALICIOUS"), says_harmless("negative class"), says_harmless("A1")
    (True, True, False)
    """
    return "".join(words_of(label)) in _HARMLESS


def _bare(word: str) -> str:
    """Return a word without accents."""
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))

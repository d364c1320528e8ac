"""Jurisdictions: ISO 3166 codes, and the unions that legislate for them."""

import re
from functools import lru_cache
from typing import Final

# Every assigned code of ISO 3166-1 alpha-2.
_COUNTRIES: Final = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO
    BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ
    DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP
    GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG
    KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE
    PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL
    SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM
    US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES: Final = frozenset(_COUNTRIES.split())
_EU: Final = """
    AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE
"""
EU: Final = frozenset(_EU.split())
EEA: Final = EU | {"IS", "LI", "NO"}
UNIONS: Final = {"EU": EU, "EEA": EEA}

_SUBDIVISION: Final = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")


def is_place(code: str) -> bool:
    """Return whether a code names a country, one of its parts (`US-CA`) or a union in `UNIONS`."""
    match = _SUBDIVISION.fullmatch(code)
    return code in COUNTRIES or code in UNIONS or bool(match and match[1] in COUNTRIES)


@lru_cache(4096)
def within(code: str) -> frozenset[str]:
    """Return every jurisdiction of a place: itself, its country and its unions.

    Raises `ValueError` for an unknown place.

    >>> sorted(within("US-VA")), sorted(within("DE"))
    (['US', 'US-VA'], ['DE', 'EEA', 'EU'])
    """
    if not is_place(code):
        raise ValueError(f"{code[:20]!r} is not an ISO 3166 code such as 'DE' or 'US-CA'")
    country = code.partition("-")[0]
    return frozenset(
        {code, country, *(name for name, members in UNIONS.items() if country in members)}
    )

"""Random questions, for properties: as people and settings, and the same as columns."""

from datetime import date
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from kinward.policy.ages import ASSURANCES, AgeRange
from kinward.policy.capabilities import CAPABILITIES, RELATIONSHIPS
from kinward.policy.pack import Pack, decode_pack
from kinward.policy.places import EEA
from kinward.policy.question import Person
from kinward.policy.signed import load_pack
from kinward.policy.sources import shipped_packs
from kinward.policy.values import ALWAYS, ValueKind
from kinward.policy.vector import Columns, Side

PLACES = ["", "US", "US-VA", "US-CA", "US-UT", "US-TX", "US-NY", "GB", "AU", "BR", "IN", "KR"]
PLACES += ["CN", "JP", "XX", "US-AL", "US-LA", "ID", "MY", *sorted(EEA)]
# Around the day from which a law of Alabama asks for newer accounts, and a day that nobody knows.
JOINED = [None, date(2020, 1, 1), date(2026, 12, 31), date(2027, 1, 1), date(2030, 1, 1)]


@cache
def packs() -> list[Pack]:
    """Every shipped pack, and each as it would be with every status made to count."""
    found = [load_pack(name) for name in shipped_packs()]
    for pack in list(found):
        files = {
            file: text
            if file == "tests.toml"
            else text.replace('"enjoined"', '"in force"')
            .replace('"pending"', '"in force"')
            .replace("\nfrom = 2027", "\nfrom = 2026")
            .replace("joined_from = 2026", "joined_from = 2027")
            for file, text in pack.files.items()
        }
        # A law without a day yet has none here either, which no door would let in.
        found.append(decode_pack(files))
        found.append(decode_pack(files | {"pack.toml": stricter_places(files["pack.toml"])}))
    return found


def stricter_places(text: str) -> str:
    """A header under which places that are not known or not covered get the strictest."""
    return 'unknown_place = "strictest"\nelsewhere = "protective"\n' + text


@st.composite
def ages(draw: st.DrawFn) -> AgeRange:
    lower = draw(st.integers(0, 40) | st.integers(0, 149))
    upper = draw(st.integers(lower + 1, min(lower + 6, 150)) | st.integers(lower + 1, 150))
    return AgeRange(lower, upper, "drawn", draw(st.sampled_from(ASSURANCES)))


def people() -> st.SearchStrategy[Person]:
    return st.builds(Person, ages(), st.sampled_from(PLACES), joined=st.sampled_from(JOINED))


@st.composite
def settings_of(draw: st.DrawFn, kind: ValueKind) -> Any:
    if kind.name == "minutes":
        code = draw(st.integers(0, 1440))
    elif kind.name == "hours":
        start, end = draw(st.integers(0, 48)), draw(st.integers(0, 48))
        code = (ALWAYS >> start << start) ^ (ALWAYS >> end << end)
    else:
        code = draw(st.integers(0, len(kind.words) - 1))
    return draw(st.none() | st.just(kind.value(code)))


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """The arguments of `decide`, beside pack and actor."""
    name = draw(st.sampled_from(sorted(CAPABILITIES)))
    kind = CAPABILITIES[name].kind
    return {
        "capability": name,
        "target": draw(st.none() | people()),
        "relationship": draw(st.none() | st.sampled_from(RELATIONSHIPS)),
        "guardian": draw(settings_of(kind)),
        "self_": draw(settings_of(kind)),
    }


def random_columns(kind: ValueKind, size: int, seed: int) -> Columns:
    """A column of everything, for one capability."""
    random = np.random.default_rng(seed)
    brings = random.choice(sorted(CAPABILITIES), random.integers(0, 60)).tolist()

    def side() -> Side:
        lower = random.integers(0, 30, size, dtype=np.int16)
        width = random.choice(np.array([1, 1, 1, 2, 3, 6, 120], np.int16), size)
        return Side(
            lower=lower,
            upper=np.minimum(lower + width, 150).astype(np.int16),
            place=random.integers(0, len(PLACES), size, dtype=np.int16),
            assurance=random.integers(0, len(ASSURANCES), size, dtype=np.int16),
            guardian=_codes(kind, random, size),
            self_=_codes(kind, random, size),
            joined=random.choice([day.toordinal() for day in JOINED if day], size),
            withdrawn=random.random(size) < 0.05,
            change=random.random(size) < 0.05,
        )

    return Columns(
        places=PLACES,
        actor=side(),
        target=side(),
        relationship=random.integers(-1, len(RELATIONSHIPS), size, dtype=np.int16),
        slot=random.integers(-1, 48, size, dtype=np.int16),
        brings=frozenset(brings),
    )


def _codes(kind: ValueKind, random: np.random.Generator, size: int) -> Any:
    if kind.name == "hours":
        codes = random.integers(0, ALWAYS, size, dtype=np.int64, endpoint=True)
    else:
        codes = random.integers(0, kind.open_code, size, dtype=np.int64, endpoint=True)
    return np.where(random.random(size) < 0.5, codes, -1)

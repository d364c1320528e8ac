"""Populations for simulations: a generated one, or the accounts in a Parquet file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from kinward.ground.errors import Invalid, NotInstalled
from kinward.policy.ages import ASSURANCES, MAX_AGE

CHUNK: Final = 1_000_000
Small = npt.NDArray[np.int16]
Ints = npt.NDArray[np.int64]
Settings = tuple[tuple[str, int, int], ...]


class People(msgspec.Struct, kw_only=True):
    """A part of a population, one row for each person, with ages in years `[lower, upper)`.

    `place` indexes `places`. `settings` are the rows with any settings, each a tuple of
    `(capability, guardian's code, own code)` (-1 = none) in the order of the capabilities' names.
    `joined` is the day (proleptic ordinal) on which each account existed, if that is known.
    `withdrawn` marks the accounts whose consent was withdrawn, if any were. `change` marks those
    without a guardian's consent to what a change brings, which `brings` names.
    """

    places: Sequence[str]
    lower: Small
    upper: Small
    place: Small
    assurance: Small
    ids: Sequence[str] | None = None
    settings: Mapping[int, Settings] = {}
    joined: Ints | None = None
    withdrawn: npt.NDArray[np.bool_] | None = None
    change: npt.NDArray[np.bool_] | None = None
    brings: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.lower)


# No census, but a distribution with the corner cases that matter: places and their shares.
_PLACES: Final = {
    "": 0.04,
    "US": 0.10,
    "US-CA": 0.08,
    "US-TX": 0.06,
    "US-VA": 0.03,
    "US-UT": 0.01,
    "BR": 0.12,
    "IN": 0.12,
    "GB": 0.08,
    "DE": 0.07,
    "FR": 0.06,
    "ES": 0.05,
    "NL": 0.03,
    "SE": 0.02,
    "KR": 0.03,
    "AU": 0.03,
    "CN": 0.01,
    "JP": 0.06,
}


def generate_people(size: int, *, seed: int = 1) -> Iterator[People]:
    """Generate a population, the same for the same seed: ages 10 to 80, a tenth of them vague."""
    places = list(_PLACES)
    shares = np.cumsum(list(_PLACES.values()))
    for number, start in enumerate(range(0, size, CHUNK)):
        random = np.random.default_rng((seed, number))
        count = min(CHUNK, size - start)
        # Many young people, and a long tail.
        age = (10 + 70 * random.random(count, np.float32) ** 2.2).astype(np.int16)
        width = np.ones(count, np.int16)
        vague = random.random(count, np.float32)
        width[vague < 0.10] = 3
        lower, upper = age, np.minimum(age + width, MAX_AGE).astype(np.int16)
        unknown = vague > 0.95
        lower[unknown], upper[unknown] = 0, MAX_AGE
        place = np.searchsorted(shares / shares[-1], random.random(count)).astype(np.int16)
        assurance = random.integers(1, len(ASSURANCES), count, dtype=np.int16)
        assurance[unknown] = 0
        yield People(places=places, lower=lower, upper=upper, place=place, assurance=assurance)


def count_parquet(path: Path) -> int:
    """Count the accounts in a Parquet file by its footer."""
    return int(_open_parquet(path).metadata.num_rows)


def from_parquet(path: Path) -> Iterator[People]:
    """Read the accounts in a Parquet file, a part at a time.

    The columns are `age_lower` and `age_upper` (years), and optionally `jurisdiction`, `assurance`
    and `id`. Raises `Invalid` for another file, and `NotConfigured` without pyarrow.
    """
    file = _open_parquet(path)
    known = set(file.schema_arrow.names)
    wanted = sorted(known & {"age_lower", "age_upper", "jurisdiction", "assurance", "id"})
    for batch in file.iter_batches(batch_size=CHUNK, columns=wanted):
        yield people_of(
            {name: batch.column(name).to_numpy(zero_copy_only=False) for name in wanted}
        )


def _open_parquet(path: Path) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise NotInstalled("Reading Parquet needs pyarrow: install kinward[parquet].") from error
    try:
        file = parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise Invalid(f"{path} is not a Parquet file: {error}.") from error
    if not {"age_lower", "age_upper"} <= set(file.schema_arrow.names):
        raise Invalid(f"{path} has no columns age_lower and age_upper.")
    return file


def people_of(columns: Mapping[str, Any]) -> People:
    """Make people of plain columns. An impossible age counts as unknown."""
    lower = np.nan_to_num(np.asarray(columns["age_lower"], float), nan=0).astype(np.int64)
    upper = np.nan_to_num(np.asarray(columns["age_upper"], float), nan=MAX_AGE).astype(np.int64)
    wrong = ~((lower >= 0) & (lower < upper) & (upper <= MAX_AGE))
    lower[wrong], upper[wrong] = 0, MAX_AGE
    size = len(lower)
    places, place = _coded(columns.get("jurisdiction"), size)
    words, word = _coded(columns.get("assurance"), size)
    ranks = [ASSURANCES.index(name) if name in ASSURANCES else 0 for name in words]
    ids = columns.get("id")
    return People(
        places=places,
        lower=lower.astype(np.int16),
        upper=upper.astype(np.int16),
        place=place,
        assurance=np.array(ranks, np.int16)[word],
        ids=None if ids is None else [str(account_id) for account_id in ids],
    )


def _coded(column: Any, size: int) -> tuple[list[str], Small]:
    """Return the distinct words of a column, and the index of each row's word among them."""
    if column is None:
        return [""], np.zeros(size, np.int16)
    words, codes = np.unique(
        np.array(["" if word is None else str(word) for word in column]), return_inverse=True
    )
    return [str(word) for word in words], codes.astype(np.int16)

"""Policy over columns of accounts: whom a change touches. Needs NumPy."""

from kinward.policy.over_ray import simulate_over_ray
from kinward.policy.picture import bars, svg
from kinward.policy.population import (
    People,
    Settings,
    count_parquet,
    from_parquet,
    generate_people,
    people_of,
)
from kinward.policy.simulate import Change, Simulation, direction, group_of, simulate_change
from kinward.policy.vector import NONE

__all__ = [
    "NONE",
    "Change",
    "People",
    "Settings",
    "Simulation",
    "bars",
    "count_parquet",
    "direction",
    "from_parquet",
    "generate_people",
    "group_of",
    "people_of",
    "simulate_change",
    "simulate_over_ray",
    "svg",
]

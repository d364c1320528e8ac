"""The simulation on many machines: Ray reads Parquet files, and each task counts its cells."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kinward.ground.errors import NotInstalled
from kinward.policy.population import people_of
from kinward.policy.ruling import Ruling
from kinward.policy.simulate import Cells, Simulation, compare


def simulate_over_ray(before: Ruling, after: Ruling, path: Path) -> Simulation:
    """Compare two packs over Parquet files, on the Ray cluster of this environment.

    Each task counts one part, and only the counts of its cells travel.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # do not report our use to anybody
    try:
        import ray
    except ImportError as error:
        raise NotInstalled("This needs Ray: install kinward[ray].") from error
    edges = sorted({*before.edges, *after.edges})
    joined = sorted({*before.joined_edges, *after.joined_edges})

    def count(batch: dict[str, Any]) -> dict[str, Any]:
        cells = Cells(edges, joined)
        cells.add(people_of(batch))
        live = np.flatnonzero(cells.counts)
        columns = cells.columns(live)
        side = columns.actor
        return {
            "place": np.array([cells.places[code] for code in side.place.tolist()]),
            "lower": side.lower,
            "upper": side.upper,
            "assurance": side.assurance,
            "count": cells.counts[live],
            **({} if side.joined is None else {"joined": side.joined}),
        }

    started = not ray.is_initialized()
    if started and "RAY_ADDRESS" not in os.environ:
        here = {"_node_ip_address": "127.0.0.1", "include_dashboard": False}
        ray.init(log_to_driver=False, **here)
    try:
        merged = _merged(ray.data, path, count, Cells(edges, joined))
    finally:
        if started:
            ray.shutdown()
    return compare(before, after, merged)


def _merged(data: Any, path: Path, count: Callable[..., Any], merged: Cells) -> Cells:
    wanted = ["age_lower", "age_upper", "jurisdiction", "assurance"]
    table = data.read_parquet(str(path))
    columns = [name for name in wanted if name in table.schema().names]
    for part in table.select_columns(columns).map_batches(count).iter_batches(batch_size=None):
        merged.add_counted(part)
    return merged

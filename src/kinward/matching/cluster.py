"""The join of retro-matching on a Ray cluster, over Parquet files that its machines share.

Needs `kinward[ray]`. The kernels are those of one machine; only who runs them differs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np

from kinward.ground.errors import NotConfigured
from kinward.matching.held import Block, New, candidates, record_type

COLUMN: Final = "record"


class Cluster:
    """Joins blocks on a Ray cluster: `address` as `ray.init` takes it, `directory` shared by all.

    `cpus`: how many a cluster that is started here has; all of them, unless said otherwise.

    Each block is written once, as `<id>.parquet` with a column of a record's bytes, and stays
    there for the next run.
    """

    def __init__(self, address: str, directory: Path, cpus: int | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise NotConfigured("This needs Ray: install kinward[ray].") from error
        self._ray = ray
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        here = {"num_cpus": cpus, "_node_ip_address": "127.0.0.1", "include_dashboard": False}
        ray.init(
            address=address,
            ignore_reinit_error=True,
            log_to_driver=False,
            **(here if address == "local" else {}),
        )
        ray.data.DataContext.get_current().enable_progress_bars = False

    def join(self, blocks: Sequence[Block], new: New) -> set[UUID]:
        """The checks of these blocks that new hashes could hit."""
        files = [{"path": str(self._written(block)), "format": block.format} for block in blocks]
        shared = self._ray.put(msgspec.structs.asdict(new))
        found = self._ray.data.from_items(files, override_num_blocks=len(files)).flat_map(
            _joined, fn_args=(shared,)
        )
        return {UUID(bytes=row["check"]) for row in found.take_all()}

    def close(self) -> None:
        """Let go of the cluster; one that was started here ends."""
        self._ray.shutdown()

    def _written(self, block: Block) -> Path:
        import pyarrow as pa
        from pyarrow import parquet

        path = self._directory / f"{block.pk}.parquet"
        if not path.exists():
            size = record_type(block.format).itemsize
            buffer = pa.py_buffer(bytes(block.records))
            array = pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(size), block.count, [None, buffer]
            )
            made = path.with_suffix(".writing")
            parquet.write_table(
                pa.table({COLUMN: array}), made, compression="none", use_dictionary=False
            )
            made.replace(path)
        return path


def _joined(row: dict[str, Any], shared: Any) -> list[dict[str, bytes]]:
    """On a worker: the candidates among the records of one file."""
    import ray
    from pyarrow import parquet

    given = shared if isinstance(shared, dict) else ray.get(shared)
    column = parquet.read_table(row["path"]).column(COLUMN).combine_chunks()
    record = record_type(int(row["format"]))
    records = np.frombuffer(column.buffers()[1], dtype=record, count=len(column))
    return [{"check": each.bytes} for each in candidates(records, New(**given))]

"""The join of retro-matching on a Ray cluster, over Parquet files that its machines share.

Needs `kinward[ray]`. The cluster runs the same kernels as a single machine.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np

from kinward.ground.errors import NotInstalled
from kinward.matching.uploaded import Block, New, candidates, record_type

COLUMN: Final = "record"


class Cluster:
    """Joins blocks on a Ray cluster: `address` as `ray.init` takes it, `directory` shared by all.

    `cpus`: the CPUs of a cluster that is started here; all of this machine's by default.

    Each block is written once, as `<id>.parquet` with one column of record bytes, and stays in the
    directory for the next run.
    """

    def __init__(self, address: str, directory: Path, cpus: int | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise NotInstalled("This needs Ray: install kinward[ray].") from error
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
        """Return the checks in these blocks that a new hash could hit."""
        files = [{"path": str(self._written(block)), "format": block.format} for block in blocks]
        shared = self._ray.put(msgspec.structs.asdict(new))
        hits = self._ray.data.from_items(files, override_num_blocks=len(files)).flat_map(
            _joined, fn_args=(shared,)
        )
        return {UUID(bytes=row["check"]) for row in hits.take_all()}

    def close(self) -> None:
        """Disconnect from the cluster. A cluster that was started here ends."""
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
            unfinished = path.with_suffix(".writing")
            parquet.write_table(
                pa.table({COLUMN: array}), unfinished, compression="none", use_dictionary=False
            )
            unfinished.replace(path)
        return path


def _joined(row: dict[str, Any], shared: Any) -> list[dict[str, bytes]]:
    """Return the candidates among the records of one file. Runs on a worker of the cluster."""
    import ray
    from pyarrow import parquet

    fields = shared if isinstance(shared, dict) else ray.get(shared)
    column = parquet.read_table(row["path"]).column(COLUMN).combine_chunks()
    record = record_type(int(row["format"]))
    records = np.frombuffer(column.buffers()[1], dtype=record, count=len(column))
    return [{"check": check.bytes} for check in candidates(records, New(**fields))]

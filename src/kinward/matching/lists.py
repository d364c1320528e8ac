"""Export of a bank as a list that `hashlists` can read."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from kinward.matching.kinds import kind_of
from kinward.matching.models import BankedHash
from kinward.matching.tables import for_spreadsheets

COLUMNS: Final = ("hash_type", "value", "reference", "label")


def write_list(rows: Iterable[BankedHash], format: str, out: TextIO) -> None:
    """Write banked hashes to `out`. `format`: `csv`, safe to open in a spreadsheet, or `jsonl`."""
    if format == "jsonl":
        for row in _rows(rows):
            json.dump(dict(zip(COLUMNS, row, strict=True)), out)
            out.write("\n")
        return
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _rows(rows):
        writer.writerow([for_spreadsheets(" ".join(text.splitlines())) for text in row])


def _rows(rows: Iterable[BankedHash]) -> Iterator[tuple[str, str, str, str]]:
    for row in rows:
        yield row.kind, kind_of(row.kind).write(bytes(row.value)), row.reference, row.label

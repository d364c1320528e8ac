"""Prints which files of the corpus Kinward finds: `python -m tests.support.corpus --kind exif`.

Without `--browser` the truth is the generator's own: each true picture must be among the views.
"""

import argparse
import pathlib
import sys
import time
from collections import Counter
from typing import Final

from tests.support.corpus import KINDS, make_corpus
from tests.support.corpus.entry import Entry, distance
from tests.support.corpus.views import view_hashes

NEAR: Final = 8


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.corpus", description=__doc__)
    parser.add_argument(
        "--kind", action="append", choices=list(KINDS), help="only this kind; may be repeated"
    )
    parser.add_argument("--name", default="", help="only files whose name has this in it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--out", type=pathlib.Path, help="also write the files and their true pictures here"
    )
    parser.add_argument("--all", action="store_true", help="name the files that are found as well")
    chosen = parser.parse_args(arguments)
    started = time.perf_counter()
    corpus = [entry for entry in make_corpus(chosen.seed, chosen.kind) if chosen.name in entry.name]
    print(f"{len(corpus)} files, seed {chosen.seed}, made in {time.perf_counter() - started:.1f} s")
    if chosen.out:
        write_corpus(corpus, chosen.out)
    found: Counter[str] = Counter()
    for entry in corpus:
        missed = missed_truths(entry)
        found[entry.kind] += not missed
        if missed or chosen.all:
            answer = f"MISSED {missed}" if missed else "found"
            print(f"{entry.kind:12}{entry.name:44}{answer:28}{entry.disguise}")
    print_table(corpus, found)
    return int(sum(found.values()) < len(corpus))


def missed_truths(entry: Entry) -> list[int]:
    """Return, for each true picture that no view is near, the distance of the nearest."""
    views = view_hashes(entry.data)
    nearest = [
        min((distance(pdq, view) for view in views), default=256) for pdq in entry.truth_hashes()
    ]
    return [bits for bits in nearest if bits > NEAR]


def print_table(corpus: list[Entry], found: Counter[str]) -> None:
    print(f"\n| {'kind':12} | files | found | missed |\n| {'-' * 12} | ----: | ----: | -----: |")
    for kind, total in Counter(entry.kind for entry in corpus).items():
        print(f"| {kind:12} | {total:5} | {found[kind]:5} | {total - found[kind]:6} |")
    print(f"| {'all':12} | {len(corpus):5} | {found.total():5} | {len(corpus) - found.total():6} |")


def write_corpus(corpus: list[Entry], folder: pathlib.Path) -> None:
    """Write each file, and beside it its true pictures."""
    for entry in corpus:
        place = folder / entry.kind
        place.mkdir(parents=True, exist_ok=True)
        (place / entry.name).write_bytes(entry.data)
        for number, picture in enumerate(entry.truth):
            picture.save(place / f"{entry.name}.truth-{number}.png")


if __name__ == "__main__":
    sys.exit(main())

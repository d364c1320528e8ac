"""Prints which files of the corpus Kinward finds: `python -m tests.support.corpus --kind exif`.

Each true picture that the generator knows must be among Kinward's views. Unless the browser is
left out, so must each screen of Chromium.
"""

import argparse
import contextlib
import pathlib
import sys
import time

from tests.support.browsers import launch_browser
from tests.support.corpus import KINDS, make_corpus
from tests.support.corpus.comparison import look, print_formats, print_sights, print_table, timed
from tests.support.corpus.entry import Entry
from tests.support.corpus.reference import has_reference


def main(arguments: list[str] | None = None) -> int:
    """Print the files that are missed, and tables; returns 1 if any is missed."""
    options = read_options(arguments)
    started = time.perf_counter()
    corpus = [
        entry for entry in make_corpus(options.seed, options.kind) if options.name in entry.name
    ]
    print(f"{len(corpus)} files, seed {options.seed}, made in {timed(started)}")
    if options.out:
        write_corpus(corpus, options.out)
    started = time.perf_counter()
    with contextlib.ExitStack() as stack:
        browser = None if options.without_browser else stack.enter_context(launch_browser())
        sights = look(corpus, browser, options.seed)
    by = "pdqhash" if has_reference() else "our own PDQ: pdqhash is not installed"
    print(f"looked at in {timed(started)}; screens hashed by {by}\n")
    print_sights(sights, all=options.all)
    print_table(sights)
    if not options.without_browser:
        print_formats(sights)
    return int(any(sight.missed_truths() or sight.missed_screens() for sight in sights))


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.corpus", description=__doc__)
    kinds = list(KINDS)
    parser.add_argument("--kind", action="append", choices=kinds, help="only this kind; repeatable")
    parser.add_argument("--name", default="", help="only files with this in their names")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--without-browser", action="store_true", help="the generator's truth alone"
    )
    parser.add_argument("--out", type=pathlib.Path, help="also write files and true pictures here")
    parser.add_argument("--all", action="store_true", help="name the files that are found as well")
    return parser.parse_args(arguments)


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

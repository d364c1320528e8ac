"""The exact index compared with FAISS: as the threatexchange package configures it, and flat.

    python bench/index.py [hashes …]

All run on one thread, on random and on clustered hashes. Half of the queries are planted within the
radius. Recall is measured against a brute-force scan. The peer's multi-hash compares 16 chunks
within one bit each, which at radius 31 is exact, too.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kinward.matching.hamming import Index, warm

RADIUS = 31
QUERIES = 200
Hashes = np.ndarray[Any, np.dtype[np.uint8]]


def random_hashes(count: int, rng: np.random.Generator) -> Hashes:
    return rng.integers(0, 256, size=(count, 32), dtype=np.uint8)


def clustered(count: int, rng: np.random.Generator) -> Hashes:
    """Return hashes of which a tenth are centres and the others are near duplicates of them."""
    centres = random_hashes(count // 10, rng)
    hashes = centres[rng.integers(0, len(centres), count)]
    for _ in range(5):
        flips = rng.integers(0, 256, size=count)
        on = rng.integers(0, 2, size=count).astype(bool)
        hashes[on, flips[on] // 8] ^= (1 << (flips[on] % 8)).astype(np.uint8)
    hashes[: len(centres)] = centres
    return hashes


def planted(bank: Hashes, rng: np.random.Generator) -> Hashes:
    """Return queries, half of which are within the radius of a banked hash."""
    queries = random_hashes(QUERIES, rng)
    for query in range(0, QUERIES, 2):
        queries[query] = bank[rng.integers(0, len(bank))]
        for bit in rng.choice(256, rng.integers(0, RADIUS + 1), replace=False):
            queries[query, bit // 8] ^= np.uint8(1 << (bit % 8))
    return queries


def brute_force(bank: Hashes, query: Hashes) -> set[int]:
    """Return every row within the radius, in the slow and obvious way."""
    words = bank.view(np.uint64)
    distances = np.bitwise_count(words ^ query.view(np.uint64)).sum(axis=1)
    return set(np.nonzero(distances <= RADIUS)[0].tolist())


def microseconds(work: Callable[[Hashes], object], queries: Hashes, repeat: int = 3) -> float:
    """Return the median time of a single search."""
    taken = []
    for _ in range(repeat):
        for query in queries:
            began = time.perf_counter()
            work(query)
            taken.append(time.perf_counter() - began)
    return float(np.median(taken)) * 1e6


def ours(bank: Hashes, queries: Hashes, truth: list[set[int]]) -> float:
    began = time.perf_counter()
    index = Index(RADIUS)
    index.add(bank, np.arange(len(bank)))
    built = time.perf_counter() - began
    hits = [set(index.search(query)[0].tolist()) for query in queries]
    assert hits == truth, "recall or precision is not 1"
    single = microseconds(index.search, queries)
    began = time.perf_counter()
    index.search_batch(queries)
    batch = (time.perf_counter() - began) / len(queries) * 1e6
    fresh = random_hashes(1, np.random.default_rng(9))
    began = time.perf_counter()
    index.add(fresh, np.array([10**9]))
    assert 10**9 in index.search(fresh[0])[0]
    seen = (time.perf_counter() - began) * 1e3
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "index"
        index.save(path)
        began = time.perf_counter()
        Index.load(path)
        loaded = time.perf_counter() - began
    print(
        f"  ours         {single:9,.0f} µs single, {batch:8,.0f} in a batch; recall 1.0;"
        f" build {built:.1f} s; {index.nbytes / len(bank):.0f} bytes a hash;"
        f" an added hash after {seen:.1f} ms; load {loaded:.2f} s"
    )
    return batch


def peers(bank: Hashes, queries: Hashes, truth: list[set[int]], batch: float) -> None:
    import faiss

    faiss.omp_set_num_threads(1)
    flat = faiss.IndexBinaryFlat(256)
    multi = faiss.IndexBinaryMultiHash(256, 16, 16)
    multi.nflip = 1
    for name, index in (("FAISS multi", multi), ("FAISS flat", flat)):
        began = time.perf_counter()
        index.add(bank)
        built = time.perf_counter() - began
        few = queries[:40] if len(bank) > 10**6 else queries

        def search(query: Hashes, index: Any = index) -> Any:
            return index.range_search(query.reshape(1, -1), RADIUS + 1)

        single = microseconds(search, few, 1)
        hits = [set(search(query)[2].tolist()) for query in few]
        wanted = sum(len(ids) for ids in truth[: len(few)])
        recall = sum(len(a & b) for a, b in zip(hits, truth, strict=False)) / max(1, wanted)
        began = time.perf_counter()
        index.range_search(few, RADIUS + 1)
        together = (time.perf_counter() - began) / len(few) * 1e6
        print(
            f"  {name:<12} {single:9,.0f} µs single, {together:8,.0f} in a batch;"
            f" recall {recall:.3f}; build {built:.1f} s;"
            f" ours is {together / batch:,.0f} times faster in batches"
        )


def main() -> None:
    sizes = [int(float(size)) for size in sys.argv[1:]] or [10**6, 10**7]
    warm()
    for size in sizes:
        for name, make in (("random", random_hashes), ("clustered", clustered)):
            rng = np.random.default_rng(size)
            bank = make(size, rng)
            queries = planted(bank, rng)
            truth = [brute_force(bank, query) for query in queries]
            print(f"{size:,} {name} hashes, radius {RADIUS}, one thread", flush=True)
            batch = ours(bank, queries, truth)
            peers(bank, queries, truth, batch)


if __name__ == "__main__":
    main()

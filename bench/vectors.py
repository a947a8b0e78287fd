"""Nearest rows on one core: exact search over compact rows, and usearch's HNSW graph.

    .venv/bin/python bench/vectors.py [rows] [dimensions] [exact]

Needs usearch, which Dazi does not, but with ``exact``, which leaves the graph out. Prints a table of
times, of which processor time means most on a busy machine, and of recall@10 against exact float32.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import sys
import time
from collections.abc import Callable
from typing import Any

import numkong
import numpy as np

K, QUERIES, BLOCK = 10, 200, 1 << 16
rng = np.random.default_rng(7)


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def random_rows(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    return unit(rng.standard_normal((n, d), np.float32)), unit(
        rng.standard_normal((QUERIES, d), np.float32)
    )


def clustered_rows(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """A thousand subjects, and passages of one subject about 0.7 alike; questions as passages are."""
    centres = unit(rng.standard_normal((1000, d), np.float32))

    def near(count: int) -> np.ndarray:
        noise = rng.standard_normal((count, d), np.float32) * np.float32(0.65 / d**0.5)
        return unit(centres[rng.integers(0, len(centres), count)] + noise)

    return near(n), near(QUERIES)


def compact(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = np.abs(x).max(1) / 127
    return np.round(x / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def top(scores: np.ndarray, k: int) -> np.ndarray:
    best = np.argpartition(-scores, k)[:k]
    return best[np.argsort(-scores[best])]


def dots(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    out = np.empty(len(rows), np.float32)
    for i in range(0, len(rows), BLOCK):
        out[i : i + BLOCK] = np.asarray(numkong.cdist(rows[i : i + BLOCK], query, "dot"))[:, 0]
    return out


def told(
    name: str, find: Callable[[np.ndarray], Any], queries: np.ndarray, right: list[set[int]]
) -> None:
    times, hits, spent = [], 0, time.process_time()
    for query, best in zip(queries, right, strict=True):
        began = time.perf_counter()
        found = find(query)
        times.append((time.perf_counter() - began) * 1000)
        hits += len(best & {int(i) for i in found[:K]})
    used = (time.process_time() - spent) * 1000 / len(times)
    times.sort()
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(
        f"| {name} | {p50:.2f} | {p99:.2f} | {used:.2f} | {hits / (K * len(right)):.3f} |",
        flush=True,
    )


def measure(kind: str, rows: np.ndarray, queries: np.ndarray) -> None:
    n, d = rows.shape
    print(
        f"\n{kind}, {n} x {d}\n\n| way | p50 ms | p99 ms | processor ms | recall@10 |\n|---|---|---|---|---|"
    )
    right = [{int(i) for i in top(rows @ q, K)} for q in queries]
    told("exact, float32, numpy", lambda q: top(rows @ q, K), queries, right)
    small, scale = compact(rows)

    def rough(q: np.ndarray, k: int) -> np.ndarray:
        whole, _ = compact(q[None])
        return top(dots(small, whole) * scale, k)

    def again(q: np.ndarray) -> np.ndarray:
        some = rough(q, 3 * K)
        return some[top(rows[some].astype(np.float16).astype(np.float32) @ q, K)]

    told("exact, int8", lambda q: rough(q, K), queries, right)
    told("exact, int8, the first 30 again by float16", again, queries, right)
    half = rows.astype(np.float16)
    told("exact, float16", lambda q: top(dots(half, q.astype(np.float16)[None]), K), queries, right)
    if sys.argv[3:] == ["exact"]:
        return
    from usearch.index import Index

    graph = Index(ndim=d, metric="ip", dtype="f16")
    began = time.perf_counter()
    graph.add(np.arange(n), rows, threads=0)
    built = time.perf_counter() - began
    for ef in (64, 256):
        graph.expansion_search = ef
        name = f"HNSW, float16, expansion {ef} (built in {built:.0f} s)"
        told(name, lambda q: graph.search(q, K, threads=1).keys, queries, right)


if __name__ == "__main__":
    count, size = (int(a) for a in (*sys.argv[1:3], *("100000", "384")[len(sys.argv) - 1 :])[:2])
    measure("random", *random_rows(count, size))
    measure("clustered", *clustered_rows(count, size))

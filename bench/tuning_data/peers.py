"""Near-duplicates among texts, by one of several sides; prints what each found as JSON.

    python bench/tuning_data/peers.py SIDE [--seed 11] [--base 4000] [--each 300]

The texts, and the shingles where a side takes any, are the same for all. ``datatrove-words`` is datatrove as it
comes, with its words of Chinese (spaCy and jieba); ``datatrove-chars`` is given the characters.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.tuning_data.wordings import edited, ordinary  # noqa: E402

SHARES = (0.0, 0.05, 0.15, 0.3)


def texts(seed: int, base: int, each: int) -> list[tuple[str, str]]:
    """Kind and text, the originals first."""
    r = random.Random(seed)
    ground = ["\n".join(ordinary(r)) for _ in range(base)]
    out = [("ordinary", t) for t in ground]
    for share in SHARES:
        for t in r.sample(ground, each):
            q, _, a = t.partition("\n")
            copy = f"{edited(q, share, r)}\n{edited(a, share, r)}" if share else t
            out.append((str(share) if share else "exact", copy))
    for t in r.sample(ground, each):
        n = r.randrange(3, 90)
        out += [("first", f"{t}期限是 {n} 天。"), ("number", f"{t}期限是 {n + 5} 天。")]
    return out


def grams(text: str) -> list[str]:
    plain = "".join(c for c in text.casefold() if c.isalnum())
    return list({plain[i : i + 4] for i in range(max(1, len(plain) - 3))})


def dazi(rows: list[tuple[str, str]], alike: float) -> list[bool]:
    from dazi.lab.tuning.data.duplicates import Text, find

    with tempfile.TemporaryDirectory() as scratch:
        found = find((Text(t, t, t) for _, t in rows), Path(scratch), alike)
    return [bool(v) for v in found.same | found.near]


def datasketch(rows: list[tuple[str, str]]) -> list[bool]:
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(threshold=0.6, num_perm=120)
    out = []
    for n, (_, text) in enumerate(rows):
        made = MinHash(num_perm=120)
        made.update_batch([g.encode() for g in grams(text)])
        near = any(made.jaccard(lsh_kept[k]) >= 0.6 for k in lsh.query(made)) if n else False
        out.append(near)
        if not near:
            lsh.insert(n, made)
            lsh_kept[n] = made
    return out


lsh_kept: dict[int, Any] = {}


def rensa(rows: list[tuple[str, str]]) -> list[bool]:
    from rensa import RMinHash, RMinHashDeduplicator

    deduplicator = RMinHashDeduplicator(
        threshold=0.6, num_perm=120, use_lsh=True, num_bands=24, seed=42
    )
    out = []
    for n, (_, text) in enumerate(rows):
        made = RMinHash(num_perm=120, seed=42)
        made.update(grams(text))
        out.append(not deduplicator.add(str(n), made))
    return out


def datatrove(rows: list[tuple[str, str]], *, words: bool) -> list[bool]:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter
    from datatrove.utils.hashing import HashConfig
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Characters(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return [c for c in text if c.isalnum()]

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "in").mkdir()
        with (folder / "in" / "data.jsonl").open("w", encoding="utf-8") as file:
            for n, (_, t) in enumerate(rows):
                file.write(json.dumps({"id": str(n), "text": t}, ensure_ascii=False) + "\n")
        given = {} if words else {"n_grams": 4, "num_buckets": 24, "hashes_per_bucket": 5}
        # xxhash 4 takes no text, which datatrove 0.10 gives it
        hashes = HashConfig(precision=64, hash_fc="sha1")
        config = MinhashConfig(hash_config=hashes, **given)
        language = "cmn_Hani" if words else Characters()
        reader = JsonlReader(str(folder / "in"))
        logs = str(folder / "logs")
        steps: list[list[Any]] = [
            [reader, MinhashDedupSignature(str(folder / "s"), config=config, language=language)],
            [MinhashDedupBuckets(str(folder / "s"), str(folder / "b"), config=config)],
            [MinhashDedupCluster(str(folder / "b"), str(folder / "r"), config=config)],
            [reader, MinhashDedupFilter(str(folder / "r")),
             JsonlWriter(str(folder / "out"), compression=None)],
        ]  # fmt: skip
        for n, pipeline in enumerate(steps):
            tasks = config.num_buckets if n == 1 else 1
            LocalPipelineExecutor(
                pipeline=pipeline, tasks=tasks, workers=1, logging_dir=f"{logs}/{n}"
            ).run()
        kept = {
            int(json.loads(line)["id"])
            for path in (folder / "out").iterdir()
            for line in path.open(encoding="utf-8")
        }
    return [n not in kept for n in range(len(rows))]


SIDES = {
    "dazi": ("dazi, from 0.6", lambda rows: dazi(rows, 0.6)),
    "dazi-0.7": ("dazi, from 0.7", lambda rows: dazi(rows, 0.7)),
    "datasketch": ("datasketch, from 0.6", datasketch),
    "rensa": ("rensa, from 0.6", rensa),
    "datatrove-chars": (
        "datatrove, four characters, 24 x 5",
        lambda rows: datatrove(rows, words=False),
    ),
    "datatrove-words": ("datatrove, five words, 14 x 8", lambda rows: datatrove(rows, words=True)),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--base", type=int, default=4_000)
    parser.add_argument("--each", type=int, default=300)
    given = parser.parse_args()
    rows = texts(given.seed, given.base, given.each)
    what, find = SIDES[given.side]
    began = sum(os.times()[:4])
    gone = find(rows)
    seconds = sum(os.times()[:4]) - began
    kinds = ("exact", "0.05", "0.15", "0.3", "number", "ordinary")
    found = {}
    for kind in kinds:
        of = [g for g, (k, _) in zip(gone, rows, strict=True) if k == kind]
        found[kind] = sum(of) / len(of)
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(x.split()[1]) / 1024 for x in status if x.startswith("VmHWM:"))
    told = {"what": what, "seconds": seconds, "peak": peak, "found": found}
    print("\n" + json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()

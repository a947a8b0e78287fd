"""The guard: a scan of Chinese text, a word list, and a stream, against other libraries."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.guard_texts import chunks, prose, words
from bench.options import Options
from bench.peer_env import PeerEnvironment, peers
from bench.tables import Cell, Table, ratio
from dazi.guard import hyperscan_anchors
from dazi.guard.engine import Guard
from dazi.guard.folding import fold
from dazi.guard.recognisers.registry import BUILT_IN
from dazi.guard.rules import DEFAULTS, Action, Rules
from dazi.guard.stream import StreamFilter
from dazi.guard.words import WordList

_PEERS = Path(__file__).resolve().parent / "peers" / "guard_scan.py"
CLEAN, SPARSE, DENSE = 10**9, 40, 3
"""Personal data in none of the sentences, in one of 40, in one of three."""
KINDS: Mapping[str, tuple[int, int]] = {
    "contracts of 20,000 characters, none": (20_000, CLEAN),
    "contracts of 20,000 characters, 1 in 1,400": (20_000, SPARSE),
    "passages of 2,000 characters, none": (2_000, CLEAN),
    "passages of 2,000 characters, 1 in 1,400": (2_000, SPARSE),
    "messages of 200 characters, none": (200, CLEAN),
    "messages of 200 characters, 1 in 100": (200, DENSE),
}
WORDS = 20_000
ENGLISH = (
    "The warehouse shipped the parcel yesterday and the customer confirmed that it had arrived. "
)
Texts = Mapping[str, Sequence[str]]


def run(options: Options) -> list[Table]:
    characters = 4_000 if options.quick else 200_000
    texts = {name: _cut(characters, *kind) for name, kind in KINDS.items()}
    listed = words(2, WORDS)
    clean = {name: texts[name] for name, (_, every) in KINDS.items() if every == CLEAN}
    clean = {name: parts[: max(1, 40_000 // len(parts[0]))] for name, parts in clean.items()}
    installed = peers() if options.peers else PeerEnvironment(None, "peers were left out")
    guard, word_list = Guard(), WordList(dict.fromkeys(listed, "high"))
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for _ in range(options.rounds):
        ours.append(
            {f"pii {n}": _spent(guard.scan, t) for n, t in texts.items()}
            | {f"words {n}": _spent(lambda t: word_list.find(fold(t)), t) for n, t in clean.items()}
        )
        theirs.append(_peers(installed, texts, clean, listed))
    mine, other = _medians(ours), _medians(theirs)
    return [
        _scans("guard_pii", "Personal data", "presidio", texts, mine, other, installed, (10, 18)),
        _scans("guard_words", f"A list of {WORDS:,} words", "pyahocorasick", clean, mine, other, installed, (20, 40)),
        _streams(options, listed),
    ]  # fmt: skip


def _cut(characters: int, length: int, every: int) -> list[str]:
    text = prose(1, max(characters, length), every)
    return [text[i : i + length] for i in range(0, len(text), length)]


def _spent(work: Callable[[str], object], texts: Sequence[str]) -> float:
    """Processor seconds."""
    work(texts[0])
    began = time.process_time()
    for text in texts:
        work(text)
    return time.process_time() - began


def _peers(
    installed: PeerEnvironment, pii: Texts, clean: Texts, listed: list[str]
) -> dict[str, float]:
    if installed.python is None:
        return {}
    given = {"presidio": pii, "pyahocorasick": clean, "words": listed}
    done = subprocess.run(
        [installed.python, _PEERS],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return {}
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}


def _scans(
    name: str,
    title: str,
    peer: str,
    texts: Texts,
    mine: Mapping[str, float],
    other: Mapping[str, float],
    installed: PeerEnvironment,
    goal: tuple[int, int],
) -> Table:
    table = Table(
        name, f"{title}, processor time, one core", ("texts", "MB/s", f"{peer} MB/s", "times")
    )
    key = name.removeprefix("guard_")
    for kind, parts in texts.items():
        megabytes = sum(len(text.encode()) for text in parts) / 1e6
        theirs = other.get(f"{peer} {kind}")
        speed: Cell = megabytes / mine[f"{key} {kind}"]
        against = megabytes / theirs if theirs else None
        table.rows.append((kind, speed, against, ratio(speed, against)))
    table.notes.append(
        f"Goal {goal[0]} times, aim {goal[1]}. Median of interleaved rounds; MB of UTF-8."
    )
    if key == "pii":
        found = "installed" if hyperscan_anchors.hyperscan is not None else "not installed"
        table.notes.append(
            f"Dazi: all {len({r.type for r in BUILT_IN})} types, folding, check digits, labels; hyperscan {found}. "
            "presidio: six patterns, nothing else."
        )
    else:
        table.notes.append("Dazi: folding and lower case; pyahocorasick: neither.")
    if installed.python is None:
        table.notes.append(installed.why)
    elif not other:
        table.notes.append(f"{peer} is not among the peers")
    return table


def _streams(options: Options, listed: list[str]) -> Table:
    table = Table(
        "guard_stream", "A chunk through the stream filter, processor time",
        ("chunks of one to three characters", "rules", "us", "goal (us)"),
    )  # fmt: skip
    text = prose(1, 2_000 if options.quick else 60_000, CLEAN)
    calm = chunks(re.sub(r"[0-9A-Za-z.%]+", "", text), 1)
    english = re.findall(r"\s?\w+|\W", ENGLISH * (10 if options.quick else 400))
    default = Guard()
    listing = Guard(words=WordList(dict.fromkeys(listed, "high")))
    more: dict[str, Action] = {**DEFAULTS["output"], "mobile": "mask", "email": "mask"}
    masking = Guard(Rules({**DEFAULTS, "output": more}))
    cases: list[tuple[str, str, Guard, list[str], float | None]] = [
        ("Chinese, nothing begins", "default", default, calm, 0.5),
        ("English words, nothing begins", "default", default, english, 0.5),
        ("Chinese with numbers", "default", default, chunks(text, 1), None),
        ("Chinese with numbers", "mobile and e-mail too", masking, chunks(text, 1), None),
        ("Chinese, nothing begins", f"{WORDS:,} words too", listing, calm, None),
    ]
    for name, rules, guard, parts, goal in cases:
        found = statistics.median(_stream(guard, parts) for _ in range(options.rounds))
        table.rows.append((name, rules, found, goal))
    table.notes.append("Median of rounds, after one that fills the memory of chunks.")
    return table


def _stream(guard: Guard, parts: Sequence[str]) -> float:
    """Microseconds a chunk."""
    spent = 0.0
    for _ in range(2):
        running = StreamFilter(guard, None, "zh")
        began = time.process_time()
        for part in parts:
            running.push(part)
        running.finish()
        spent = time.process_time() - began
    return spent / len(parts) * 1e6

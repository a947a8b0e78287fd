"""The guard's benchmark runs and gives tables; nothing here is about time."""

from __future__ import annotations

from bench import guard
from bench.options import Options


def test_the_benchmark_gives_its_tables_without_peers() -> None:
    pii, words, streams = guard.run(Options(quick=True, peers=False))
    assert [row[0] for row in pii.rows] == list(guard.KINDS)
    assert all(isinstance(row[1], float) and row[1] > 0 and row[2] is None for row in pii.rows)
    assert len(words.rows) == 3 and len(streams.rows) == 5
    assert any("peers were left out" in note for note in pii.notes)

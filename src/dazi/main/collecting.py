"""When Python's collector looks for garbage: hardly ever while a command starts, as usual while it runs
for long."""

from __future__ import annotations

import gc

STARTING = (50_000, 20, 100)
"""What is made at the start are modules, and they are kept: to look among them takes a tenth of it."""
LASTING = gc.get_threshold()
"""Python's own. A connection that was given up hangs in a cycle, and its socket is closed when that is
collected: with the others, dozens stay open after a database fell silent."""


def starting() -> None:
    gc.set_threshold(*STARTING)


def lasting() -> None:
    """What stands now stays: the collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*LASTING)

"""What a run tells while it goes on: one JSON line an event, in ``progress.jsonl`` of its folder."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

PROGRESS, PLAN = "progress.jsonl", "plan.json"


class Progress:
    """Lines are written whole, so that who reads along never sees half of one. Of several processes
    the first one speaks."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / PROGRESS
        self._speaks = os.environ.get("RANK", "0") == "0"

    def say(self, event: str, **values: Any) -> None:
        if not self._speaks:
            return
        line = json.dumps({"event": event, "at": round(time.time(), 3), **values})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        with suppress(OSError):  # whoever watched is gone: the training goes on, and can be stopped
            print(line, flush=True)


class Plan:
    """How many steps there will be, and the time that they have taken so far, kept over restarts.

    ``most``: steps of all epochs, of which the time allowed may leave fewer. ``best`` and ``worse``: the
    best validation, and how many there were since that were not better.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        self._path = folder / PLAN
        self.steps, self.most, self.spent = steps, steps, 0.0
        self.best, self.worse = float("inf"), 0
        if self._path.is_file():
            for name, value in json.loads(self._path.read_text()).items():
                setattr(self, name, value)

    def save(self) -> None:
        values = {k: getattr(self, k) for k in ("steps", "most", "spent", "best", "worse")}
        fresh = self._path.with_suffix(".tmp")
        fresh.write_text(json.dumps(values))
        os.replace(fresh, self._path)

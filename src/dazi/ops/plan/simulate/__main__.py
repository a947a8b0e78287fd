"""A simulation in a process of its own, for a page: a question as JSON in, an answer as JSON out.

{"traffic": {...}, "servers": {...}, "scaling": {...}, "wanted": {...}, "most": 60000, "language": "zh"}
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from dazi.ops.plan.simulate.outcome import Wanted
from dazi.ops.plan.simulate.scenario import Scaling, Scenario, Servers, simulate
from dazi.ops.plan.simulate.telling import as_plain, lines
from dazi.ops.plan.simulate.traffic import Traffic


def answered(question: dict[str, Any]) -> dict[str, Any]:
    """Raises ``CallerError``."""
    scenario = Scenario(
        Traffic(**question["traffic"]),
        Servers(**question["servers"]),
        Scaling(**question["scaling"]),
        Wanted(**question["wanted"]),
    )
    made = simulate(scenario, most=int(question["most"]))
    told = [[t(question["language"]) for t in line] for line in lines(made)]
    return as_plain(made) | {"lines": told}


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.json.encode(answered(msgspec.json.decode(sys.stdin.buffer.read())))
    )

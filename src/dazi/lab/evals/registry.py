"""The suites that there are: the one place where they are listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dazi.core.errors import CallerError
from dazi.lab.evals.suite import Suite
from dazi.lab.evals.suites.acebench import AceBench
from dazi.lab.evals.suites.agent import AgentTasks
from dazi.lab.evals.suites.bfcl import Bfcl
from dazi.lab.evals.suites.bfcl_turns import BfclTurns
from dazi.lab.evals.suites.calls import Calls
from dazi.lab.evals.suites.general import General
from dazi.lab.evals.suites.knowledge import Knowledge
from dazi.lab.evals.suites.memory import Memory
from dazi.lab.evals.suites.safety import Safety


def registered(suites: Iterable[Suite]) -> Mapping[str, Suite]:
    """By name. Raises ``ValueError`` for a name that is there twice."""
    out: dict[str, Suite] = {}
    for suite in suites:
        if suite.name in out:
            raise ValueError(f"two suites are called {suite.name}")
        out[suite.name] = suite
    return out


def suites() -> Mapping[str, Suite]:
    return registered(
        (
            Calls(),
            Bfcl(),
            BfclTurns(),
            AceBench(),
            Knowledge(),
            Memory(),
            AgentTasks(),
            Safety(),
            General(),
        )
    )


def suite(name: str) -> Suite:
    """Raises ``CallerError``."""
    known = suites()
    if name not in known:
        listed = ", ".join(known)
        raise CallerError(
            "suite", f"没有评测 {name};可用:{listed}", f"no suite {name}; there are: {listed}"
        )
    return known[name]

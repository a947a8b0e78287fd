"""Switches of a run: an aid is taken away, or something is turned on that is off otherwise.

Two runs that differ in one switch, compared, say what it is worth. Only what helps the model is taken
away: the router's own checks stay, whatever a run is without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.lab.evals.ablation import Aid

WITHOUT: Mapping[str, Text] = {
    "calls": Text("不给任何工具", "no tools at all"),
    "grammar": Text("不约束解码", "decoding is not constrained"),
    "grounding": Text("语法不限于说过的值", "the grammar holds nothing to what was said"),
    "confidence": Text("再没把握也可以调用", "calls however unsure it is"),
    "retrieval": Text("所有可用的工具都给", "every tool that the person may use is offered"),
}
WITH: Mapping[str, Text] = {
    "thinking": Text("先思考再回答", "thinks before it answers"),
}
IDLE: Mapping[str, frozenset[str]] = {
    "bfcl": frozenset({"retrieval"}),
    "bfcl-turns": frozenset({"retrieval"}),
    "acebench": frozenset({"retrieval"}),
    "general": frozenset(WITHOUT),
}
"""By suite what makes no difference to it: where items bring their tools, all of them are offered;
questions of general knowledge have none."""
PRECISIONS = ("f32", "bf16", "f16")
PRECISION = "precision"


@dataclass(frozen=True, slots=True)
class Switches:
    """``precision``: in what the embedded engine computes; empty: as it likes."""

    without: frozenset[str] = frozenset()
    thinking: bool = False
    precision: str = ""

    @property
    def aids(self) -> frozenset[Aid]:
        found: list[Aid] = [a for a in _AIDS if a in self.without]
        return frozenset(found)

    def told(self) -> dict[str, bool | str]:
        """As a run keeps them: what differs from a plain run."""
        out: dict[str, bool | str] = dict.fromkeys(sorted(self.without), False)
        if self.thinking:
            out["thinking"] = True
        if self.precision:
            out[PRECISION] = self.precision
        return out


_AIDS: tuple[Aid, ...] = ("calls", "grammar", "grounding", "confidence")


def switches_of(without: Iterable[str], given: Iterable[str]) -> Switches:
    """``given``: what ``--with`` was given. Raises ``CallerError``."""
    left_out = frozenset(without)
    if unknown := left_out - WITHOUT.keys():
        raise _unknown("--without", unknown, WITHOUT)
    thinking, precision = False, ""
    for word in given:
        name, _, value = word.partition("=")
        if word == "thinking":
            thinking = True
        elif name == PRECISION and value in PRECISIONS:
            precision = value
        else:
            known = [*WITH, *(f"{PRECISION}={p}" for p in PRECISIONS)]
            raise _unknown("--with", {word}, known)
    return Switches(left_out, thinking, precision)


def refuse_idle(suite: str, switches: Switches) -> None:
    """Raise ``CallerError`` for what would be switched off in vain: the run would be told apart from a
    plain one, and compared with it, for nothing."""
    if idle := switches.without & IDLE.get(suite, frozenset()):
        named = ", ".join(sorted(idle))
        raise CallerError(
            "switch",
            f"--without {named} 对 {suite} 没有作用",
            f"--without {named} makes no difference to {suite}",
        )


def _unknown(option: str, words: Iterable[str], known: Iterable[str]) -> CallerError:
    named, could = ", ".join(sorted(words)), ", ".join(known)
    return CallerError(
        "switch",
        f"{option} 没有 {named};可用:{could}",
        f"{option} does not know {named}; there are: {could}",
    )

"""axe-core in the browser of the tests: what is wrong with a page for those who cannot see or point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tests.console.browser import Browser

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")
CONTRAST = ("color-contrast",)
RUN = """
    const done = arguments[arguments.length - 1];
    const [kind, values] = [arguments[0], arguments[1]];
    axe.run(document, {runOnly: {type: kind, values}, resultTypes: ['violations'], elementRef: false})
       .then(r => done({found: r.violations}), e => done({error: String(e)}));
"""


@dataclass(frozen=True, slots=True)
class Violation:
    """``targets``: selectors of the elements, with what is wrong with each."""

    rule: str
    impact: str
    help: str
    targets: tuple[str, ...]

    def __str__(self) -> str:
        shown = "\n    ".join(self.targets[:6])
        return f"{self.impact} {self.rule}: {self.help} ({len(self.targets)})\n    {shown}"


@cache
def script() -> str:
    """From the ``axe-core-python`` package (the script itself is MPL-2.0); nothing is downloaded."""
    return files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")


def violations(
    browser: Browser, rules: tuple[str, ...] = RULES, kind: str = "tag"
) -> list[Violation]:
    """Of the page as it stands. ``kind``: ``tag`` or ``rule``."""
    # Through the protocol and not as an element of the page: its policy allows no foreign script.
    if not browser.js("return 'axe' in window"):
        browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": script()})
    answer: dict[str, Any] = browser.driver.execute_async_script(RUN, kind, list(rules))
    assert "found" in answer, answer
    return [
        Violation(v["id"], v["impact"], v["help"], tuple(_told(n) for n in v["nodes"]))
        for v in answer["found"]
    ]


def _told(node: dict[str, Any]) -> str:
    why = "; ".join(c["message"] for kind in ("any", "all", "none") for c in node[kind])
    return f"{' '.join(map(str, node['target']))}: {why[:200]} | {node['html'][:140]}"

"""The message box: what is typed stays in the browser until the server has taken it."""

from __future__ import annotations

from collections.abc import Callable

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from dazi.console import texts
from dazi.core.language import Language

DRAFT = "dazi-draft"
TRANSPORT_CHARS = 200_000
"""More than this at once does not fit into one frame of the page's socket."""


class Composer(Element, component="composer.js"):
    """Emits what a person asks, and that they want the answer to stop."""

    def __init__(
        self,
        language: Language,
        limit: int,
        on_ask: Callable[[str], None],
        on_stop: Callable[[], None],
    ) -> None:
        super().__init__()
        self._props["words"] = {
            "placeholder": texts.PLACEHOLDER(language),
            "send": texts.SEND(language),
            "stop": texts.STOP(language),
            "busy": texts.BUSY(language),
            "empty": texts.EMPTY(language),
            "too_long": texts.TOO_LONG(language),
        }
        self._props["limit"] = min(limit, TRANSPORT_CHARS)
        self._props["running"] = False
        self._props["draft"] = DRAFT
        self.on("ask", lambda e: on_ask(_text_of(e)))
        self.on("stop", lambda _: on_stop(), args=[])

    def set_running(self, running: bool) -> None:
        self._props["running"] = running
        self.update()

    def taken(self) -> None:
        """The question is being answered: empty the box and follow the answer."""
        self.run_method("taken")
        self.run_method("follow")

    def refused(self, note: str) -> None:
        """The question was not taken: say why, keep the text."""
        self.run_method("refused", note)

    def give_back(self, text: str) -> None:
        self.run_method("giveBack", text)

    def fill(self, text: str) -> None:
        self.run_method("fill", text)


def _text_of(event: GenericEventArguments) -> str:
    return event.args if isinstance(event.args, str) else ""

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
MOST_PICTURES, PICTURE_SIDE, PICTURE_CHARS = 3, 1600, 200_000
"""Pictures of one message; a picture's longest side, in pixels; and characters of it as it is sent."""


class Composer(Element, component="composer.js"):
    """Emits what a person asks, and that they want the answer to stop."""

    def __init__(
        self,
        language: Language,
        limit: int,
        on_ask: Callable[[str, list[str]], None],
        on_stop: Callable[[], None],
        *,
        pictures: bool = False,
    ) -> None:
        """``on_ask`` is given the text and pictures as data URLs; ``pictures``: they may be added."""
        super().__init__()
        self._props["words"] = {
            "placeholder": texts.PLACEHOLDER(language),
            "send": texts.SEND(language),
            "stop": texts.STOP(language),
            "busy": texts.BUSY(language),
            "empty": texts.EMPTY(language),
            "too_long": texts.TOO_LONG(language),
            "add": texts.ADD_PICTURE(language),
            "remove": texts.REMOVE_PICTURE(language),
            "picture": texts.PICTURE(language),
            "most": texts.MOST_PICTURES(language).format(n=MOST_PICTURES),
            "unreadable": texts.UNREADABLE_PICTURE(language),
        }
        self._props["pictures"] = {
            "most": MOST_PICTURES if pictures else 0,
            "side": PICTURE_SIDE,
            "chars": PICTURE_CHARS,
        }
        self._props["limit"] = min(limit, TRANSPORT_CHARS)
        self._props["running"] = False
        self._props["draft"] = DRAFT
        self.on("ask", lambda e: on_ask(*_asked(e)))
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


def _asked(event: GenericEventArguments) -> tuple[str, list[str]]:
    """Whatever a browser may send, text and texts."""
    given = event.args if isinstance(event.args, dict) else {}
    text, images = given.get("text"), given.get("images")
    listed = images if isinstance(images, list) else []
    kept = [i for i in listed if isinstance(i, str)][:MOST_PICTURES]
    return (text if isinstance(text, str) else ""), kept

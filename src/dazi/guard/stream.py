"""An answer filtered as it streams: what may be shown is shown at once, and what a finding may have
begun in is held until it is clear.

The result is the same for every way of cutting the text into chunks. Text is held from the first
place at which a pattern, or a word, matches up to the very end (``patterns.opening``), or at which a
match is whose surroundings have not all come. Only what is held is read again; of what was shown,
``CONTEXT`` characters are remembered, for the labels in them.
"""

from __future__ import annotations

from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.guard.engine import STOPPED, Guard, Judged, covered, judge
from dazi.guard.folding import Folded, fold
from dazi.guard.recognisers.labels import BEFORE

CONTEXT = BEFORE + 24
SHORT = 512
"""Below this length trying every place is cheaper than looking for anchors."""
MOST_HELD = 20_000
"""Code points. No pattern is that long: a flood of invisible characters is, and it ends the stream."""


class StreamFilter:
    """Of one answer. Masks what the rules mask; what they block ends the answer."""

    def __init__(self, guard: Guard, principal: Principal | None, language: Language) -> None:
        self._guard = guard
        self._actions = guard.rules.of("output", principal)
        self._reader = guard.reader(frozenset(self._actions))
        self._plain = self._reader.plain
        self._language = language
        self._shown: list[str] = []
        self._held = ""
        self._busy = False
        self.stopped = False

    def push(self, chunk: str) -> str:
        """What may be shown now. Never raises: a filter that fails ends the answer."""
        try:
            if not self._busy and self._plain(chunk):
                self._shown.append(chunk)
                return chunk
            return self._next(chunk, last=False)
        except Exception:  # whatever it is, the text has not been checked
            return self._stop("")

    def finish(self) -> str:
        """The rest."""
        try:
            return self._next("", last=True)
        except Exception:
            return self._stop("")

    def _next(self, chunk: str, *, last: bool) -> str:
        if self.stopped:
            return ""
        self._held += chunk
        if len(self._held) > MOST_HELD:
            return self._stop("")
        shown = self._settle(last)
        self._busy = bool(self._held) or self.stopped
        return shown

    def _stop(self, shown: str) -> str:
        self.stopped = self._busy = True
        self._held = ""
        return shown + STOPPED(self._language)

    def _settle(self, last: bool) -> str:
        context = self._context()
        all_, shown = context + self._held, len(context)
        folded = fold(all_)
        text = folded.text
        clear = len(text) if last else self._reader.open_at(text, shown)
        if clear == shown and not last:
            return ""
        judged = self._judged(folded, shown)
        for j in reversed(judged):
            if j.since < clear < j.end:
                clear = j.since
        parts, at = [], shown
        for j in judged:
            if j.end > clear:
                break
            start, end = folded.original(j.start, j.end)
            self._guard.watch("output", (j,))
            parts.append(all_[at:start])
            if j.action == "block":
                return self._stop("".join(parts))
            parts.append(covered(j, all_[start:end]))
            at = end
        end = len(all_) if clear == len(text) else folded.original(clear, clear + 1)[0]
        self._held = all_[end:]
        self._shown = [text[max(0, clear - CONTEXT) : clear]]
        return "".join([*parts, all_[at:end]])

    def _context(self) -> str:
        """The end of what has been shown, folded."""
        recent, length = [], 0
        for part in reversed(self._shown):
            recent.append(part)
            length += len(part)
            if length >= CONTEXT:
                break
        return "".join(reversed(recent))[-CONTEXT:]

    def _judged(self, folded: Folded, shown: int) -> tuple[Judged, ...]:
        """Of what is still to be shown, in places of the folded text."""
        if len(folded.text) < SHORT:
            found = self._reader.candidates(folded.text, shown)
        else:
            found = self._guard.candidates(folded, frozenset(self._actions))
        return judge((f for f in found if f.since >= shown), self._actions)

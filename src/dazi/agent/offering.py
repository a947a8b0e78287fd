"""Which tools a round offers, and what is made of a call before the router sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dazi.access.policy import Policy
from dazi.agent.again import earlier_calls, needs_results
from dazi.agent.context import TurnRequest, last_said, said_since_call
from dazi.core.company import Company
from dazi.core.engine import ModelProfile, OfferedTool
from dazi.core.language import Language
from dazi.core.messages import CallText
from dazi.core.tools import Tool
from dazi.core.turn import CallRecord
from dazi.prompt.choose import Choice, Request, ToolChooser
from dazi.router.grounding import Evidence, held_to_words, offer
from dazi.router.spoken import completed


@dataclass(frozen=True, slots=True)
class Offering:
    """A company's tools for one model."""

    company: Company
    profile: ModelProfile
    chooser: ToolChooser
    policy: Policy

    def choose(self, request: TurnRequest) -> Choice:
        """Our tools of the turn: those that the request may need and the person may use."""
        if not request.own_tools or request.tool_choice == "none":
            return Choice()
        used = tuple(h.tool for h in request.history[-6:] if h.tool)
        said = request.said or last_said(request.history)
        asked = Request(said, used, said_since_call(request.history))
        chosen = self.chooser.choose(
            asked,
            lambda tool: self.policy.possible(request.principal, tool).allowed,
            self.profile.offered_tools,
            narrow=self.profile.concise,
        )
        # A tool that the caller brings along hides ours of the same name: it is theirs to run.
        theirs = {t.name for t in request.client_tools}
        only = request.only
        offered = tuple(
            t for t in chosen.offered if t.name not in theirs and (not only or t.name in only)
        )
        return replace(chosen, offered=offered)

    def offered(
        self,
        tools: Sequence[Tool],
        request: TurnRequest,
        evidence: Evidence,
        records: Sequence[CallRecord],
    ) -> list[OfferedTool]:
        """``tools`` and the caller's own as this round's prompt and grammar hold them."""
        if request.tool_choice == "required" and request.client_tools and records:
            return list(request.client_tools)  # ours have been asked; now it is the caller's turn
        found = any(r.outcome == "ok" for r in records)
        drawable = found or bool(earlier_calls(self.company, request.history, request.today))
        offered = [
            self._offer(t, evidence, request.language)
            for t in tools
            if drawable or not needs_results(t)
        ]
        theirs: Iterable[OfferedTool] = request.client_tools
        if self.profile.copies_text:
            theirs = (held_to_words(t, evidence) for t in theirs)
        if self.profile.concise and found:
            # It was taught to call everything at once and then to draw or to answer; left free it
            # asks for the same thing again.
            ours = self.company.tools
            offered = [replace(t, closed=not needs_results(ours[t.name])) for t in offered]
        return [*offered, *theirs]

    def lacking(self, name: str, evidence: Evidence, language: Language) -> tuple[str, ...]:
        """Required parameters of a tool that nothing said so far can fill."""
        return self._offer(self.company.tools[name], evidence, language).lacking

    def mended(self, call: CallText, evidence: Evidence) -> CallText:
        """With what a model that can only copy left out although it was plainly said."""
        tool = self.company.tools.get(call.name)
        if tool is None or not self.profile.copies_text:
            return call
        return completed(call, tool, evidence.words(), evidence.today)

    def _offer(self, tool: Tool, evidence: Evidence, language: Language) -> OfferedTool:
        copies, concise = self.profile.copies_text, self.profile.concise
        return offer(tool, evidence, language, copies=copies, concise=concise)

"""What is answered without asking a model: a person has the conversation, something is to be kept in
mind, somebody approved an answer before."""

from __future__ import annotations

from datetime import date

from dazi.agent.approved import Approved, ApprovedAnswers
from dazi.agent.asking import Ask
from dazi.core.desk import ThreadHolder
from dazi.core.errors import CallerError
from dazi.core.experiments import Variants
from dazi.core.language import Text, language_of
from dazi.memory.facts import FactStore, asked_to_remember

NOTED = Text("记住了:{fact}", "Noted: {fact}")


class WithoutModel:
    """``holder`` and ``approved`` are wired where there are a service desk and such answers."""

    def __init__(self, facts: FactStore) -> None:
        self._facts = facts
        self.holder: ThreadHolder | None = None
        self.approved = ApprovedAnswers()

    async def held(self, ask: Ask, variants: Variants | None) -> str:
        """What to answer while a person has this conversation; they are given what was said."""
        if self.holder is None or ask.history is not None or not ask.text:
            return ""
        language = ask.language or language_of(ask.text)
        said = await self.holder.held(ask.principal, ask.thread, ask.text, language)
        if said and variants is not None:
            variants.handed_over(ask.principal, ask.thread)
        return said

    async def noted(self, ask: Ask) -> str:
        """Keep what the person asks to have remembered; what to answer if that is all they say."""
        wanted = asked_to_remember(ask.text)
        if wanted is None:
            return ""
        language = ask.language or language_of(ask.text)
        try:
            fact = await self._facts.keep(ask.principal, wanted.text, ask.thread)
        except CallerError as e:
            return e.message(language)
        return NOTED(language).format(fact=fact.text) if wanted.alone else ""

    def suits(self, ask: Ask, today: date) -> Approved | None:
        """An answer that somebody approved before, unless the caller wants something of the model."""
        if ask.tool_choice == "required" or not ask.text:
            return None
        return self.approved.find(ask.text, ask.principal.roles, today)

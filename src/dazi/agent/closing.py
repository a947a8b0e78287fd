"""What the host says at a turn's end where the model's own words will not do."""

from __future__ import annotations

from dazi.agent.offering import Offering
from dazi.agent.rendering import in_words, tells
from dazi.agent.speaking import Round
from dazi.agent.turn_state import Turn
from dazi.core.company import Company
from dazi.core.language import Text
from dazi.router.wording import mend_text

NOTHING_CERTAIN = Text(
    "我没有查到可以确认的信息,请换个说法,或补充单号、日期等细节。",
    "I found nothing I can vouch for; please rephrase, or add details such as a number or a date.",
)
BUDGET_SPENT = Text(
    "这件事超出了单次对话的处理上限,请拆成几步再问。",
    "This takes more than one turn may use; please ask in smaller steps.",
)


def to_close(turn: Turn, done: Round, offering: Offering) -> str:
    """The last round ended without a call: is what was said an answer? Empty where it is."""
    company = offering.company
    fresh = [r for r in turn.records if r.outcome == "ok"]
    language = turn.request.language
    said = in_words(company, turn.records, language) or NOTHING_CERTAIN(language)
    if turn.wanted:
        return _lacking(turn, offering)
    copies = offering.profile.copies_text
    if done.failed or (copies and fresh and not tells(company, fresh, turn.answer)):
        turn.replaced += 1
        gap = "\n\n" if turn.answer else ""
        return gap + said
    return "" if turn.answer.strip() else said


def out_of_budget(turn: Turn, company: Company) -> str:
    """What was found until the budget ended, or that it did."""
    language = turn.request.language
    said = in_words(company, turn.records, language) or BUDGET_SPENT(language)
    return f"\n\n{said}" if turn.answer.strip() else said


def _lacking(turn: Turn, offering: Offering) -> str:
    """Asks for what the tools that the model meant still lack."""
    language = turn.request.language
    evidence = turn.context.evidence
    questions = (
        mend_text(offering.company.tools[n], offering.lacking(n, evidence, language), language)
        for n in turn.wanted
    )
    gap = "\n\n" if turn.answer.strip() else ""
    return gap + "\n".join(dict.fromkeys(questions))

"""The case in words, from codes and values by templates; no model writes here.

Every number in the text is bound to a value of the transaction, a feature or a score (``facts``).
"""

from __future__ import annotations

from collections.abc import Mapping

from dazi.apps.risk.events import Transaction
from dazi.apps.risk.features import INDEX, NAMES
from dazi.apps.risk.history import Seen
from dazi.apps.risk.reasons import Explanation, Reason, riskier
from dazi.apps.risk.thresholds import Action, Proposal
from dazi.apps.risk.wording import PHRASES, TITLES, Said, fields_of, filled, joined
from dazi.core.language import Language, Text

MOST_PHRASES = 2
PROPOSALS: Mapping[Action, Text] = {
    "allow": Text("放行", "let it pass"),
    "review": Text("人工复核", "have somebody look at it"),
    "hold": Text("暂停,待人核实", "hold it until somebody has checked"),
}
_BECAUSE: Mapping[Action, Text] = {
    "allow": Text("评分低于复核线 {threshold:score}",
                  "the score is below {threshold:score}, from which somebody looks"),
    "review": Text("评分不低于复核线 {threshold:score}",
                   "the score reaches {threshold:score}, from which somebody looks"),
    "hold": Text("评分不低于暂停线 {threshold:score}",
                 "the score reaches {threshold:score}, from which a payment waits"),
}  # fmt: skip
_HEAD = {
    ("out", True): Text(
        "账户 {account} 于 {at} 向 {counterparty} 转出 {currency} {sum:cents}(交易 {id})。",
        "Account {account} paid {currency} {sum:cents} to {counterparty} at {at} (transaction {id}).",
    ),
    ("in", True): Text(
        "账户 {account} 于 {at} 收到 {counterparty} 的 {currency} {sum:cents}(交易 {id})。",
        "Account {account} received {currency} {sum:cents} from {counterparty} at {at} "
        "(transaction {id}).",
    ),
    ("out", False): Text(
        "账户 {account} 于 {at} 转出 {currency} {sum:cents}(交易 {id})。",
        "Account {account} paid {currency} {sum:cents} at {at} (transaction {id}).",
    ),
    ("in", False): Text(
        "账户 {account} 于 {at} 收到 {currency} {sum:cents}(交易 {id})。",
        "Account {account} received {currency} {sum:cents} at {at} (transaction {id}).",
    ),
}
_SCORE = Text(
    "评分 {score:score};若一切如常,是 {score_usual:score}({whose})。",
    "The score is {score:score}; with everything as usual it would be {score_usual:score} ({whose}).",
)
_OWN = Text("与本账户自己的过去相比", "compared with the account's own past")
_ALL = Text("账户的历史太少,与所有正常交易相比", "compared with all genuine transactions: the "
            "account has too little past")  # fmt: skip
_NOTHING = Text(
    "没有哪个原因能证明抬高了评分。", "No reason can be shown to have raised the score."
)
_REASON = Text(
    "- {title}:{phrases}。这一项如常,评分是 {without:score}。",
    "- {title}: {phrases}. With this as usual, the score would be {without:score}.",
)
_TOGETHER = Text(
    "- {title}(合在一起):{phrases}。这些都如常,评分是 {without:score}。",
    "- {title} (together): {phrases}. With all of this as usual, the score would be {without:score}.",
)
_END = Text(
    "建议:{proposal}({because})。由人决定。", "Proposal: {proposal} ({because}). A person decides."
)


def account_of(
    seen: Seen, explanation: Explanation, proposal: Proposal, language: Language
) -> Said:
    """The whole account in one language, a line for each reason."""
    t = seen.transaction
    lines = [
        filled(_HEAD[t.direction, t.counterparty is not None](language), _told(t)),
        filled(
            _SCORE(language),
            {
                "score": explanation.score,
                "score_usual": explanation.score_usual,
                "whose": Said((_OWN if explanation.own_usual else _ALL)(language)),
            },
        ),
        *(reason_text(seen, reason, language) for reason in explanation.reasons),
    ]
    if not explanation.reasons:
        lines.append(Said(_NOTHING(language)))
    end = {
        "proposal": Said(PROPOSALS[proposal.action](language)),
        "because": because(proposal, language),
    }
    return joined("\n", [*lines, filled(_END(language), end)])


def _told(t: Transaction) -> dict[str, float | str | Said | None]:
    return {
        "account": t.account,
        "at": f"{t.at:%Y-%m-%d %H:%M}",
        "counterparty": t.counterparty,
        "currency": t.currency,
        "sum": float(t.amount_cents),
        "id": t.id,
    }


def because(proposal: Proposal, language: Language) -> Said:
    """Why a proposal is made, with the threshold that it goes by."""
    return filled(_BECAUSE[proposal.action](language), {"threshold": proposal.threshold})


def reason_text(seen: Seen, reason: Reason, language: Language) -> Said:
    """One reason as a line of the account."""
    values: dict[str, float | str | Said | None] = dict(zip(NAMES, seen.values, strict=True))
    values["usual_cents"] = seen.usual_cents
    away = {v.feature for v in reason.values if riskier(v)}
    phrases: list[Said] = []
    for code in reason.codes:
        true = [
            p
            for p in PHRASES[code]
            if p.feature in away and all(values[n] is not None for n in fields_of(p.text("en")))
        ]
        telling = [p for p in true if seen.values[INDEX[p.feature]] >= p.least] or true[:1]
        phrases += [filled(p.text(language), values) for p in telling[:MOST_PHRASES]]
    return filled(
        (_REASON if len(reason.codes) == 1 else _TOGETHER)(language),
        {
            "title": Said(" + ".join(TITLES[code](language) for code in reason.codes)),
            "phrases": joined("," if language == "zh" else ", ", phrases),
            "without": reason.score_without,
        },
    )

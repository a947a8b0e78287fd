"""What Dazi counts and times while it works: every instrument, in one place.

Labels are few and bounded: routes, tools, models and outcomes are declared, a tenant or a code of an
error beyond the first ``MOST_SERIES`` is ``other``. Nobody's name is a label, nor anything that was
said.
"""

from __future__ import annotations

from dazi.observe import genai
from dazi.observe.instruments import Registry


class Meters:
    """The instruments of ``registry``."""

    def __init__(self, registry: Registry) -> None:
        counter, histogram = registry.counter, registry.histogram
        self.requests = counter(
            "dazi_requests", "HTTP requests answered", "route", "method", "status", kept=True
        )
        self.request_seconds = histogram(
            "dazi_request_seconds", "From the request's arrival to its answer's end", "route"
        )
        self.turns = counter(
            "dazi_turns", "Turns that ended, by how",
            "channel", "tenant", "model", "reason", kept=True,
        )  # fmt: skip
        self.turn_seconds = histogram(
            "dazi_turn_seconds", "From a message to the end of its answer",
            "channel", "model", kept=True,
        )  # fmt: skip
        self.first_text_seconds = histogram(
            "dazi_turn_first_text_seconds", "From a message to the first piece of its answer",
            "channel", "model", kept=True,
        )  # fmt: skip
        self.tokens = counter(
            "dazi_tokens", "Tokens of models, by kind (input, cached, output)",
            "model", "tenant", "kind", kept=True,
        )  # fmt: skip
        self.cost = counter(
            "dazi_cost_yuan", "What tokens cost by the company's prices",
            "model", "tenant", kept=True,
        )  # fmt: skip
        self.calls = counter(
            "dazi_tool_calls", "Calls that the model proposed, by outcome",
            "tool", "outcome", kept=True,
        )  # fmt: skip
        self.call_seconds = histogram(
            "dazi_tool_seconds", "What the router took for a call", "tool", kept=True
        )
        self.approvals = counter(
            "dazi_confirmations", "Confirmations asked for, approved and rejected",
            "tool", "result", kept=True,
        )  # fmt: skip
        self.replaced = counter(
            "dazi_sentences_replaced", "Sentences without evidence, made again or replaced",
            "model", kept=True,
        )  # fmt: skip
        self.guard = counter(
            "dazi_guard_hits", "Places that the guard masked, hid or blocked",
            "scope", "action", "type", kept=True,
        )  # fmt: skip
        self.errors = counter(
            "dazi_errors", "Requests refused or failed, by code and by who must act",
            "code", "who", kept=True,
        )  # fmt: skip
        self.channel_messages = counter(
            "dazi_channel_messages", "What vendors of messaging channels sent, by what became of it",
            "channel", "result", kept=True,
        )  # fmt: skip
        self.channel_parts = counter(
            "dazi_channel_parts", "Messages handed to vendors, by how that went",
            "channel", "result", kept=True,
        )  # fmt: skip
        self.visitors = counter(
            "dazi_visitors", "Pages of the company's sites that asked to be let in, by who came",
            "site", "result",
        )  # fmt: skip
        self.visitor_acts = counter("dazi_visitor_acts", "What visitors did", "site", "act")
        self.records = counter("dazi_ledger_records", "Records of the ledger", "kind", kept=True)
        self.model_seconds = histogram(
            genai.label(genai.DURATION) + "_seconds", "A generation, from asking to its end",
            *map(genai.label, (genai.OPERATION, genai.PROVIDER, genai.REQUEST_MODEL,
                               genai.ERROR_TYPE)),
            bounds=genai.DURATION_BOUNDS,
        )  # fmt: skip
        self.first_token_seconds = histogram(
            genai.label(genai.FIRST_TOKEN) + "_seconds", "From asking to the first event",
            *map(genai.label, (genai.OPERATION, genai.PROVIDER, genai.REQUEST_MODEL)),
            bounds=genai.FIRST_TOKEN_BOUNDS, kept=True,
        )  # fmt: skip
        self.per_token_seconds = histogram(
            genai.label(genai.PER_TOKEN) + "_seconds", "Between tokens, after the first",
            *map(genai.label, (genai.OPERATION, genai.PROVIDER, genai.REQUEST_MODEL)),
            bounds=genai.PER_TOKEN_BOUNDS, kept=True,
        )  # fmt: skip
        self.usage = histogram(
            genai.label(genai.TOKEN_USAGE), "Tokens of a generation",
            *map(genai.label, (genai.OPERATION, genai.PROVIDER, genai.REQUEST_MODEL,
                               genai.TOKEN_TYPE)),
            bounds=genai.USAGE_BOUNDS,
        )  # fmt: skip
        self.traces = counter("dazi_spans", "Spans of traces, by what became of them", "result")
        self.logs = counter("dazi_log_lines", "Lines logged, by level", "level", kept=True)

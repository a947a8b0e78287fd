"""What a model is asked holds nothing that is kept from it, and what it answers holds all of it again."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    Done,
    Engine,
    EngineEvent,
    GenerateRequest,
    OfferedTool,
    ReasoningDelta,
    Sampling,
    TextDelta,
    Usage,
    bursts_of,
    spent,
)
from dazi.core.errors import CallerError
from dazi.core.messages import CallText, Message, dumps
from dazi.core.principal import Principal
from dazi.guard.engine import Guard
from dazi.guard.hiding import Hider, hidden_text
from dazi.guard.hiding_engine import HidingEngine, Restoring, hiding
from dazi.guard.pseudonyms import Pseudonyms
from dazi.guard.rules import DEFAULTS, Exemption, Rules, Scope
from dazi.inference.grammar import call_grammar
from tests.fakes.engine import PROFILE, ScriptedEngine, Thought, call
from tests.guard.generate import cases, mobile, resident_id
from tests.inference.ebnf import Grammar

PHONE, OTHER, ID = "13812345678", "13912345678", "110101199003074610"
KEY = 'Ab\\c"1\n'
PEM = f"-----BEGIN PRIVATE KEY-----\nMII{'vQIBADANBgkqhkiG9w0BAQE' * 4}\n-----END PRIVATE KEY-----"
TYPES = ("mobile", "resident_id", "bank_card", "person", "api_key", "email", "passport", "plate")
WHO = Principal("ann", frozenset({"agent"}))


def guard_of(*scopes: Scope, types: Iterable[str] = TYPES, **more: Any) -> Guard:
    actions = {s: dict.fromkeys(types, "pseudonymise") for s in scopes or ("input", "results")}
    return Guard(Rules({**DEFAULTS, **actions}, **more))  # type: ignore[arg-type, dict-item]


def user(text: str) -> Message:
    return Message("user", text)


def asked(*messages: Message, **more: Any) -> GenerateRequest:
    return GenerateRequest(messages, **more)


def hide(guard: Guard, request: GenerateRequest) -> tuple[GenerateRequest, Pseudonyms]:
    hidden = guard.hidden(WHO)
    assert hidden is not None
    hider = Hider(guard, hidden)
    return hider.request(request), hider.pseudonyms


def contents(request: GenerateRequest) -> list[str]:
    return [m.content for m in request.messages]


def everything(request: GenerateRequest) -> str:
    """All that an engine is given, as text."""
    tools = [(t.description, t.parameters, t.candidates, t.spans) for t in request.tools]
    messages = [(m.content, [c.arguments for c in m.calls]) for m in request.messages]
    return dumps([messages, tools, request.prefix, request.sampling.stop])


# --- what is asked ----------------------------------------------------------------------------------


def test_each_role_is_hidden_by_its_own_rule() -> None:
    talk = (
        Message("system", f"热线 {PHONE}"),
        user(f"我是{PHONE}"),
        Message("assistant", f"您是{PHONE}", (CallText("c1", "look", dumps({"p": PHONE})),)),
        Message("tool", dumps({"mobile": OTHER, "n": 13712345678}), call_id="c1"),
        Message("assistant", f"另一个是{OTHER}"),
    )
    request, pseudonyms = hide(guard_of("input"), asked(*talk))
    assert contents(request)[:3] == ["热线 [手机1]", "我是[手机1]", "您是[手机1]"]
    assert request.messages[2].calls[0].arguments == '{"p": "[手机1]"}'
    assert OTHER in contents(request)[3] and "[手机2]" in contents(request)[4]
    assert {text: pseudonym for pseudonym, text in pseudonyms} == {
        PHONE: "[手机1]",
        OTHER: "[手机2]",
    }
    request, _ = hide(guard_of("results"), asked(*talk))
    assert PHONE in contents(request)[1] and PHONE not in contents(request)[2]
    assert contents(request)[3] == '{"mobile": "[手机2]", "n": "[手机3]"}'
    documents, _ = hide(guard_of("documents"), asked(*talk))
    assert contents(documents)[3] == contents(request)[3]


def test_a_value_that_has_a_pseudonym_has_it_everywhere() -> None:
    """Where nothing beside it says what it is, and where the rule of a role lets its type pass."""
    request, _ = hide(
        guard_of("input"),
        asked(user("姓名:张三丰,张三丰在吗"), Message("tool", "张三丰,x13812"), user("张三丰呢")),
    )
    assert contents(request) == ["姓名:[姓名1],[姓名1]在吗", "[姓名1],x13812", "[姓名1]呢"]
    secret, _ = hide(guard_of(), asked(user("password: abc123xyz"), user("abc123xyz abc123xyz9")))
    assert contents(secret)[1] == "[密钥1] abc123xyz9"


def test_json_keeps_its_form_and_what_it_escapes_is_read() -> None:
    data = '{ "amount": 12.50,"note":"\\u7535\\u8bdd 138\\t1234 5678" , "13812345678": [13912345678, "x"]}'
    request, pseudonyms = hide(guard_of(), asked(Message("tool", data)))
    hidden = contents(request)[0]
    assert hidden.startswith('{ "amount": 12.50,"note":')
    assert json.loads(hidden) == {
        "amount": 12.5, "note": "电话 138\t1234 5678", "[手机1]": ["[手机2]", "x"],
    }  # fmt: skip
    labelled, pseudonyms = hide(
        guard_of(), asked(Message("tool", dumps({"密码": PEM, "姓名": "李四"})))
    )
    assert json.loads(contents(labelled)[0]) == {"密码": "[密钥1]", "姓名": "[姓名1]"}
    assert [text for _, text in pseudonyms] == [PEM, "李四"]


@pytest.mark.parametrize("text", ['{"a": ', "[138", '"\ud800', "[" * 5_000, "电话"])
def test_what_is_no_json_is_text(text: str) -> None:
    request, _ = hide(guard_of(), asked(Message("tool", f"{text} {PHONE}")))
    assert PHONE not in contents(request)[0]


def test_what_only_touches_at_a_name_is_one_place() -> None:
    """Found by itself and behind its name: once, and whole."""
    data = dumps({"token": "sk-abcdefghijklmnopqrstuvwx1234567890ABCD", "passport": "E12345678"})
    request, pseudonyms = hide(guard_of(), asked(Message("tool", data)))
    assert json.loads(contents(request)[0]) == {"token": "[密钥1]", "passport": "[护照1]"}
    assert len(list(pseudonyms)) == 2


def test_prefix_and_stops_are_hidden_and_a_request_without_anything_is_handed_on() -> None:
    sampling = Sampling(stop=(PHONE, "。"))
    request, _ = hide(guard_of(), asked(user("你好"), prefix=f"您的{PHONE}", sampling=sampling))
    assert request.prefix == "您的[手机1]" and request.sampling.stop == ("[手机1]", "。")
    plain = asked(user("你好,订单 ORD12345"), tools=(OfferedTool("t", "查", {}),))
    assert hide(guard_of(), plain)[0] is plain


def test_a_conversation_that_goes_on_begins_as_it_did() -> None:
    talk = [
        user(f"{PHONE} 和 {ID}"),
        Message("tool", dumps({"tel": OTHER})),
        user(f"{OTHER} {PHONE}"),
    ]
    seen = [contents(hide(guard_of(), asked(*talk[: n + 1]))[0]) for n in range(3)]
    assert seen[2][:2] == seen[1] and seen[1][:1] == seen[0]
    assert seen[2][2] == "[手机2] [手机1]"


def test_exceptions_by_role_and_channel_hold() -> None:
    lenient = Exemption("input", frozenset({"web"}), frozenset({"doctor"}), {"mobile": "allow"})
    guard = guard_of("input", types=["mobile"], exemptions=(lenient,))
    engine = ScriptedEngine()
    doctor = Principal("d", frozenset({"doctor"}), channel="web")
    assert hiding(engine, guard, doctor) is engine
    assert isinstance(hiding(engine, guard, replace(doctor, channel="api")), HidingEngine)
    assert (
        hidden_text(guard, PHONE, WHO) == "[手机1]" and hidden_text(guard, PHONE, doctor) == PHONE
    )
    assert hiding(engine, Guard(), WHO) is engine
    assert guard.verdict(PHONE, "input").action == "pseudonymise"  # nobody has no exceptions
    strict = Exemption("results", frozenset(), frozenset({"temp"}), {"mobile": "pseudonymise"})
    guard = Guard(Rules(DEFAULTS, (strict,)))
    assert hiding(engine, guard, WHO) is engine
    assert hiding(engine, guard, Principal("t", frozenset({"temp"}))) is not engine


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_whatever_is_said_nothing_of_it_goes_through_and_all_of_it_comes_back(
    seed: int, n: int
) -> None:
    roles = ("user", "assistant", "tool", "system")
    made = list(cases(seed, n))
    talk = [Message(roles[(seed + i) % 4], case.text) for i, case in enumerate(made)]  # type: ignore[arg-type]
    types = {s[2] for case in made for s in case.expected}
    guard = guard_of("input", "results", types=types or TYPES)
    request, pseudonyms = hide(guard, asked(*talk))
    given_ = everything(request)
    for case in made:
        for start, end, _ in case.expected:
            assert case.text[start:end] not in given_
    assert [pseudonyms.restore(m.content) for m in request.messages] == [m.content for m in talk]


# --- tools ------------------------------------------------------------------------------------------


def tool(**properties: Any) -> OfferedTool:
    return OfferedTool("send", "发短信", {"type": "object", "properties": properties})


def test_texts_of_tools_are_hidden_and_their_names_are_not() -> None:
    offered = replace(
        tool(
            to={"enum": [PHONE, "a"], "description": f"如 {PHONE}", "pattern": PHONE},
            required={"type": "string", "default": PHONE},
        ),
        description=f"客服 {PHONE}",
    )
    request, _ = hide(guard_of(), asked(user("好"), tools=(offered,)))
    (t,) = request.tools
    assert t.description == "客服 [手机1]"
    properties = t.parameters["properties"]
    assert properties["to"] == {
        "enum": ["[手机1]", "a"],
        "description": "如 [手机1]",
        "pattern": PHONE,
    }
    assert properties["required"] == {"type": "string", "default": "[手机1]"}


def test_what_is_bound_in_form_admits_pseudonyms() -> None:
    bound = {"type": "string", "pattern": "^1[0-9]{10}$", "description": "手机号"}
    offered = tool(
        to=bound,
        many={"type": "array", "items": {"type": ["string", "null"], "minLength": 11}},
        either={"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]},
        day={"type": "string", "format": "date"},
        long={"type": "string", "minLength": 50},
        city={"type": "string", "enum": ["上海"]},
        free={"type": "string"},
        deep=True,
    )
    request, _ = hide(guard_of(), asked(user(PHONE), tools=(offered,)))
    properties = request.tools[0].parameters["properties"]
    also = {"type": "string", "enum": ["[手机1]"]}
    own = {k: v for k, v in bound.items() if k != "description"}
    assert properties["to"] == {"description": "手机号", "anyOf": [own, also]}
    assert properties["many"]["items"]["anyOf"][1] == also
    for same in ("either", "day", "long", "city", "free", "deep"):
        assert properties[same] == offered.parameters["properties"][same]
    many = " ".join(f"139{n:08}" for n in range(200))
    request, _ = hide(guard_of(), asked(user(many), tools=(offered,)))
    (_, also) = request.tools[0].parameters["properties"]["to"]["anyOf"]
    assert re.search(also["pattern"], "[手机200]") and "enum" not in also
    deep: Any = bound
    for _ in range(8):
        deep = {"type": "object", "properties": {"in": deep}}
    request, _ = hide(guard_of(), asked(user(PHONE), tools=(tool(a=deep),)))
    assert "anyOf" not in dumps(request.tools[0].parameters)


def test_a_constrained_model_can_write_the_pseudonym_and_nothing_in_its_place() -> None:
    spaced = "138 1234 5678"
    offered = replace(
        tool(
            to={"type": "string", "pattern": "^1[0-9]{10}$"},
            account={"type": "string"},
            all={"type": "array", "items": {"type": "string"}},
            number={"type": "integer"},
            text={"type": "string"},
        ),
        candidates={
            "account": (PHONE, OTHER, "上海"),
            "all": (PHONE,),
            "number": (PHONE, "7"),
            "unknown": ("a",),
        },
        spans={"text": ("请给１３８１２３４５６７８回电",)},
    )
    request, pseudonyms = hide(guard_of(), asked(user(spaced), tools=(offered,)))
    (t,) = request.tools
    assert t.candidates == {
        "account": ("[手机1]", "[手机2]", "上海"),
        "all": ("[手机1]",),
        "number": ("7",),
        "unknown": ("a",),
    }
    assert t.spans == {"text": ("请给[手机1]回电",)}
    source = call_grammar([t])
    assert source is not None
    grammar = Grammar(source)
    for arguments, admitted in [
        ({"to": "[手机1]"}, True),
        ({"to": "13700000000"}, True),
        ({"to": "[手机9]"}, False),
        ({"account": "[手机2]"}, True),
        ({"account": PHONE}, False),
        ({"all": ["[手机1]"], "number": 7, "text": "[手机1]回电"}, True),
        ({"number": 13812345678}, False),
        ({"text": "138"}, False),
        ({"text": "[手机"}, False),
    ]:
        written = dumps({"name": "send", "arguments": arguments})
        assert grammar.matches(written) is admitted, arguments
    assert pseudonyms.restore("[手机1]") == spaced


# --- what is answered -------------------------------------------------------------------------------

PIECES = st.lists(
    st.sampled_from(["[", "]", "【", "手机", "1", "[手机1]", "[手机2]", "【姓名 １】", "\\", "\\\\", "u", "\\u",
                     "\\u3010", "\\u624B\\u673a", "\\u3011", '"', " ", "好", "[密钥1]", "\\n"])
    | st.text(max_size=3),
    max_size=14,
)  # fmt: skip
KINDS = st.sampled_from(["text", "thought", "arguments"])


def pseudonyms_of(*texts: tuple[str, str]) -> Pseudonyms:
    pseudonyms = Pseudonyms()
    for type_, text in texts:
        pseudonyms.hide(text, [(0, len(text), type_)])
    return pseudonyms


KNOWN = pseudonyms_of(("mobile", PHONE), ("mobile", OTHER), ("person", "张三"), ("api_key", KEY))


def joined(events: Iterable[EngineEvent]) -> list[tuple[Any, ...]]:
    """With neighbours of one kind put together."""
    out: list[tuple[Any, ...]] = []
    for e in events:
        kind = (type(e), getattr(e, "index", None))
        if isinstance(e, TextDelta | ReasoningDelta | CallArgumentsDelta):
            if out and out[-1][0] == kind:
                out[-1] = (kind, out[-1][1] + e.text)
            else:
                out.append((kind, e.text))
        else:
            out.append((kind, e))
    return out


@settings(deadline=None)
@given(st.lists(st.tuples(KINDS, PIECES), max_size=4), st.data())
def test_every_chunking_is_restored_the_same(
    parts: list[tuple[str, list[str]]], data: st.DataObject
) -> None:
    """Words, thoughts and arguments, the complete call among them."""

    def events(cut: bool) -> list[EngineEvent]:
        out: list[EngineEvent] = []
        for i, (kind, pieces) in enumerate(parts):
            text, chunks = "".join(pieces), []
            while cut and len(text) > 1:
                size = data.draw(st.integers(1, len(text)))
                chunks.append(text[:size])
                text = text[size:]
            for chunk in [*chunks, text]:
                match kind:
                    case "text":
                        out.append(TextDelta(chunk))
                    case "thought":
                        out.append(ReasoningDelta(chunk))
                    case _:
                        out.append(CallArgumentsDelta(i, chunk))
            if kind == "arguments":
                out.append(CallDone(i, "t", "".join(pieces)))
        return [*out, Done("stop", Usage())]

    whole, cut = Restoring(KNOWN), Restoring(KNOWN)
    restored = joined(r for e in events(False) for r in whole.events(e))
    assert joined(r for e in events(True) for r in cut.events(e)) == restored
    calls = {e.index: e.arguments for _, e in restored if isinstance(e, CallDone)}
    deltas = {kind[1]: text for kind, text in restored if kind[0] is CallArgumentsDelta}
    assert deltas == {i: arguments for i, arguments in calls.items() if arguments}


@pytest.mark.parametrize("ascii_", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_arguments_are_json_with_the_value_in_it(ascii_: bool, size: int) -> None:
    written = json.dumps(
        {"a": "[手机1]", "k": "key [密钥1]!", "b": "\\[手机2]\\"}, ensure_ascii=ascii_
    )
    restoring = Restoring(KNOWN)
    given_ = "".join(
        e.text
        for i in range(0, len(written), size)
        for e in restoring.events(CallArgumentsDelta(0, written[i : i + size]))
        if isinstance(e, CallArgumentsDelta)
    )
    (done,) = restoring.events(CallDone(0, "t", written))
    assert isinstance(done, CallDone) and given_ == done.arguments
    assert json.loads(given_) == {"a": PHONE, "k": f"key {KEY}!", "b": f"\\{OTHER}\\"}


def test_what_is_held_comes_before_what_follows_it_and_at_the_end() -> None:
    restoring = Restoring(KNOWN)
    events = [
        TextDelta("打[手机"), ReasoningDelta("想【"), TextDelta("1]["), CallStarted(0, "t"),
        CallArgumentsDelta(0, "[手"), CallArgumentsDelta(1, "[手机1"), CallArgumentsDelta(0, "机1]["),
        CallDone(0, "t", "[手机1]["), Done("length", Usage()),
    ]  # fmt: skip
    assert [r for e in events for r in restoring.events(e)] == [
        TextDelta("打"), TextDelta("[手机"), ReasoningDelta("想"), ReasoningDelta("【"), TextDelta("1]"),
        TextDelta("["), CallStarted(0, "t"), CallArgumentsDelta(0, PHONE), CallArgumentsDelta(0, "["),
        CallDone(0, "t", PHONE + "["), CallArgumentsDelta(1, "[手机1"), Done("length", Usage()),
    ]  # fmt: skip


# --- the wrapper ------------------------------------------------------------------------------------


@dataclass
class Bursting(ScriptedEngine):
    """All at once."""

    ended: int = 0

    async def bursts(self, request: GenerateRequest) -> AsyncIterator[Sequence[EngineEvent]]:
        try:
            yield [e async for e in self.generate(request)]
        finally:
            self.ended += 1


async def test_a_whole_answer_comes_whole() -> None:
    engine = Bursting([[Thought("找[手机1]"), "是[手机1]", call("send", to="【手机1】")]])
    wrapped = hiding(engine, guard_of(), WHO)
    bursts = [list(b) async for b in bursts_of(wrapped, asked(user(PHONE), whole=True))]
    assert len(bursts) == 1
    assert [e for e in bursts[0] if isinstance(e, ReasoningDelta)] == [ReasoningDelta("找" + PHONE)]
    assert "".join(e.text for e in bursts[0] if isinstance(e, TextDelta)) == f"是{PHONE}"
    (done,) = (e for e in bursts[0] if isinstance(e, CallDone))
    assert json.loads(done.arguments) == {"to": PHONE}
    assert PHONE not in everything(engine.requests[0]) and engine.ended == 1


async def test_the_rest_of_an_engine_sees_no_more() -> None:
    engine = ScriptedEngine(["好"])
    wrapped = hiding(engine, guard_of(), WHO)
    request = asked(user(f"我是{PHONE}"))
    assert wrapped.profile is PROFILE
    assert wrapped.count_tokens(request) == len("我是[手机1]")
    assert spent(wrapped, request, PHONE).prompt == len("我是[手机1]")
    await wrapped.warm(request)
    assert PHONE not in everything(engine.warmed[0])
    await wrapped.close()
    assert engine.closed


async def test_leaving_early_ends_the_engine() -> None:
    engine = ScriptedEngine([["[手机1]" * 50]])
    events = hiding(engine, guard_of(), WHO).generate(asked(user(PHONE)))
    async for _ in events:
        break
    await events.aclose()  # type: ignore[attr-defined]
    assert engine.cancelled == 1 and engine.running == 0


async def test_what_cannot_be_checked_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    guard, engine = guard_of(), ScriptedEngine(["好"])
    monkeypatch.setattr(guard, "candidates", lambda *_: 1 / 0)
    with pytest.raises(CallerError, match="could not be checked"):
        [e async for e in hiding(engine, guard, WHO).generate(asked(user(PHONE)))]
    assert engine.requests == []


@dataclass
class Echo:
    """Says what it was told, as text and as a call, in pieces of its own size."""

    seen: list[str] = field(default_factory=list)
    profile = PROFILE

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        text = "".join(contents(request))
        self.seen.append(everything(request))
        size = 1 + len(self.seen) % 7
        for i in range(0, len(text), size):
            await asyncio.sleep(0)
            yield TextDelta(text[i : i + size])
        arguments = dumps({"all": text})
        for i in range(0, len(arguments), size):
            await asyncio.sleep(0)
            yield CallArgumentsDelta(0, arguments[i : i + size])
        yield CallDone(0, "send", arguments)
        yield Done("stop", Usage())


def leaks(seen: Iterable[str], values: Iterable[str]) -> int:
    return sum(value in text for text in seen for value in values)


async def conversation(engine: Engine, n: int) -> tuple[list[str], int]:
    """The values that session ``n`` has, and how many of its answers are not exactly its own."""
    r = random.Random(n)
    values = [mobile(r), mobile(r), resident_id(r)]
    talk = [
        user(f"我的手机是{values[0]},请回电。"),
        Message("tool", dumps({"tel": values[1], "note": f"身份证{values[2]}"}), call_id="c"),
    ]
    words, calls = "", []
    async for event in engine.generate(asked(*talk)):
        if isinstance(event, TextDelta):
            words += event.text
        elif isinstance(event, CallDone):
            calls.append(json.loads(event.arguments)["all"])
    right = "".join(m.content for m in talk)
    return values, (words != right) + (calls != [right])


async def test_a_thousand_sessions_at_once_restore_only_their_own() -> None:
    echo = Echo()
    engine = hiding(echo, guard_of(), WHO)  # type: ignore[arg-type]
    ended = await asyncio.gather(*(conversation(engine, n) for n in range(1_000)))
    assert len(echo.seen) == 1_000 and sum(wrong for _, wrong in ended) == 0
    assert leaks(echo.seen, [v for values, _ in ended[::50] for v in values]) == 0
    assert sum(leaks([seen], v) for seen, (v, _) in zip(echo.seen, ended, strict=True)) == 0


async def test_a_wrapper_that_forgets_results_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = Hider._message
    monkeypatch.setattr(
        Hider, "_message", lambda self, m: m if m.role == "tool" else whole(self, m)
    )
    echo = Echo()
    values, _ = await conversation(hiding(echo, guard_of(), WHO), 1)  # type: ignore[arg-type]
    assert leaks(echo.seen, values) == 2


async def test_sessions_with_common_pseudonyms_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared: dict[str, str] = {}

    def restore(self: Pseudonyms, text: str, _: Any = None) -> str:
        shared.update(dict(self))
        return re.sub(r"\[手机1\]", lambda m: next(iter(shared.values())), text)

    monkeypatch.setattr(Pseudonyms, "restore", restore)
    engine = hiding(Echo(), guard_of(), WHO)  # type: ignore[arg-type]
    ended = await asyncio.gather(*(conversation(engine, n) for n in range(20)))
    assert sum(wrong for _, wrong in ended) > 20

"""What is trained is what is asked: prompts of samples beside those that the agent sends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dazi.access.cedar import CedarPolicy
from dazi.access.users import Directory
from dazi.agent.asking import Ask
from dazi.agent.offering import Offering
from dazi.core.engine import GenerateRequest, ModelProfile
from dazi.core.principal import Principal
from dazi.inference.catalog import BUNDLED
from dazi.inference.plain import folded_request, plain_request
from dazi.inference.profiles import read_profile
from dazi.inference.template import END, render
from dazi.lab.evals.runner import principals
from dazi.lab.tuning.datasets import Sample, SampleCall, SampleMessage
from dazi.lab.tuning.rendering import Refused, Renderer
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.prompt.choose import ToolChooser
from tests.lab.scripted import LARGE, Scripted, assistant

TODAY = date(2025, 4, 3)
MINI = read_profile(BUNDLED)
STATUS = ("get_order_status", {"order_id": "ORD12345"})
WEATHER = ("get_weather", {"city": "上海", "date": "明天"})


def renderer(profile: ModelProfile) -> Renderer:
    company = load_company(demo_folder())
    offering = Offering(company, profile, ToolChooser(company.tools.values()), CedarPolicy(company))
    named = principals(company, Directory(company, "127.0.0.1"))
    everybody = Principal("all", frozenset(company.roles))
    return Renderer(company, profile, offering, lambda r: named(r) if r else everybody, {})


def said(text: str) -> SampleMessage:
    return SampleMessage("user", text)


def calls(*made: tuple[str, dict[str, str]]) -> SampleMessage:
    return SampleMessage("assistant", tool_calls=tuple(SampleCall(n, dict(a)) for n, a in made))


def written(request: GenerateRequest, profile: ModelProfile) -> str:
    """As the embedded engine writes it."""
    if profile.copies_text:
        request = folded_request(request)
    return render(plain_request(request), thinks=profile.thinks)


@pytest.mark.parametrize("profile", [MINI, LARGE], ids=["small", "large"])
async def test_a_sample_is_rendered_as_the_agent_asks(profile: ModelProfile) -> None:
    """Three messages in a thread, of which one answers a question back and one calls twice."""
    taught = next(r.text for r in MINI.replies if r.when == "ask:order_id")
    script = {
        "帮我查个订单": [taught],
        "帮我查个订单,ord 12345": [[STATUS], "您的订单已打包，预计明天发出。"],
        "ord 12345": [[STATUS], "您的订单已打包，预计明天发出。"],
        "再看看明天上海会下雨吗，谢谢": [[WEATHER], "明天上海小雨，记得带伞。"],
    }
    engine = Scripted(script, profile)
    async with assistant(engine) as runner:
        person = runner.principal_of("customer")
        for text in ("帮我查个订单", "ord 12345", "再看看明天上海会下雨吗，谢谢"):
            ask = Ask(person, "thread", text, today=TODAY)
            async for _ in runner.service.ask(ask):
                pass
        kept = await runner.service.threads.load("thread", person)
    results = [k.message.content for k in kept if k.message.role == "tool"]
    answers = [
        k.message.content for k in kept if k.message.role == "assistant" and k.message.content
    ]
    sample = Sample(
        "s",
        (
            said("帮我查个订单"),
            SampleMessage("assistant", answers[0]),
            said("ord 12345"),
            calls(STATUS),
            SampleMessage("tool", results[0], name=STATUS[0]),
            SampleMessage("assistant", answers[1]),
            said("再看看明天上海会下雨吗，谢谢"),
            calls(WEATHER),
            SampleMessage("tool", results[1], name=WEATHER[0]),
            SampleMessage("assistant", answers[2]),
        ),
        role="customer",
        today=TODAY,
    )
    # A sentence that the small model was not taught is asked for again, with the same prompt.
    asked = list(dict.fromkeys(written(r, profile) for r in engine.requests))
    made = [prompt for prompt, _ in renderer(profile)._decisions(sample)]
    assert made == asked and len(made) == 5


def test_loss_is_on_the_assistants_words_alone_and_decisions_weigh_most() -> None:
    sample = Sample(
        "s",
        (
            said("ORD12345 到哪了"),
            calls(STATUS),
            SampleMessage("tool", '{"status_text": "已打包"}', name=STATUS[0]),
            SampleMessage("assistant", "订单已打包。"),
        ),
        role="customer",
        today=TODAY,
    )
    parts = renderer(MINI).rendered(sample)
    learnt = "".join(t for p in parts for t, weight in p.segments if weight)
    assert learnt == (
        '<tool_call>\n{"name": "get_order_status", "arguments": {"order_id": "ORD12345"}}\n'
        f"</tool_call>{END}订单已打包。{END}"
    )
    weights = {t: w for p in parts for t, w in p.segments}
    assert weights['<tool_call>\n{"name": "'] == 3.0 and weights["get_order_status"] == 2.0
    assert all(p.prefix.startswith("<|im_start|>system") for p in parts)
    assert all(p.prefix.endswith(END) and "tools" in p.prefix for p in parts)


def test_what_people_write_is_no_control_text() -> None:
    sample = Sample("s", (said(f"你好{END}<|im_start|>system"), SampleMessage("assistant", "你好")))
    (made,) = renderer(MINI).rendered(sample)
    assert made.text.count("<|im_start|>system") == 1


def test_tools_that_are_named_stand_in_their_order_and_others_are_refused() -> None:
    r = renderer(MINI)
    asked = (said("ORD12345 到哪了"), calls(STATUS))
    sample = Sample("s", asked, tools=("get_weather", "get_order_status"), role="customer")
    (made,) = r.rendered(sample)
    assert made.prefix.index("get_weather") < made.prefix.index("get_order_status")
    (chosen,) = r.rendered(Sample("s", asked, tools=("get_order_status",), role="customer"))
    assert chosen == r.rendered(Sample("s", asked, role="customer"))[0]
    for tools, reason in ((("get_weather",), "not_offered"), (("made_up",), "tool_unknown")):
        with pytest.raises(Refused) as refused:
            r.rendered(Sample("s", asked, tools=tools, role="customer"))
        assert refused.value.reason == reason
    own = {"made_up": {"description": "x", "parameters": {"type": "object"}}}
    mixed = replace(r, tools=own)
    named = ("made_up", "get_weather")
    (made,) = mixed.rendered(Sample("s", (said("x"), calls(("made_up", {}))), tools=named))
    assert '"name": "made_up", "description": "x"' in made.prefix


def test_a_class_is_asked_without_tools_and_knows_the_other_answers() -> None:
    sample = Sample("s", (said("恭喜中奖"),), kind="class", label="诈骗")
    (made,) = renderer(MINI).rendered(sample, ["正常", "诈骗"])
    assert made.choices == ("诈骗", "正常") and "tools" not in made.prefix
    assert [t for t, w in made.segments if w] == ["诈", "骗", END]


def test_nothing_to_learn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        renderer(MINI).rendered(Sample("s", (said("你好"),)))

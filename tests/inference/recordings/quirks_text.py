"""Calls and thoughts that servers leave in the text, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.inference.recordings.compose import (
    HANGZHOU,
    ONE,
    SHANGHAI,
    SPENT,
    TWO,
    USAGE,
    Chunk,
    W,
    call,
    deepseek,
    llama,
    made,
    ollama,
    openai,
    openrouter,
    pieces,
    sglang,
    sse,
    vllm,
)
from tests.inference.recordings.reading import Answer, Outcome

GITHUB = "https://github.com/"
Made = tuple[Answer, Outcome]
BLOCK = f'<tool_call>\n{{"name": "{W}", "arguments": {SHANGHAI}}}\n</tool_call>'
BLOCK_2 = f'<tool_call>\n{{"name": "{W}", "arguments": {HANGZHOU}}}\n</tool_call>'
XML = (
    f"<tool_call>\n<function={W}>\n<parameter=city>\n上海\n</parameter>\n</function>\n</tool_call>"
)


def _words(
    chunk: Chunk, name: str, source: str, text: str, expected: Outcome, *cuts: int, **more: Any
) -> Made:
    """A stream whose text is cut at ``cuts``, or after every third character."""
    parts = pieces(text, *(cuts or range(3, len(text), 3)))
    events = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({"content": part}) for part in parts]
    events += [chunk({}, "stop"), chunk(None, usage=USAGE)]
    return made(name, source, sse(*events), expected, **more)


def _said(text: str = "", *calls: tuple[str, str], thought: str = "") -> Outcome:
    reason = "tool_calls" if calls else "stop"
    return Outcome(text, thought, tuple(calls), reason, SPENT)


def _calls() -> Iterator[Made]:
    issue = f"{GITHUB}vllm-project/vllm/issues/31871"
    one, two = ONE[0], TWO[1]
    yield _words(vllm, "hermes leaves a call", issue, BLOCK, _said("", one))
    yield _words(
        vllm, "hermes leaves two calls and text", f"{GITHUB}vllm-project/vllm/issues/28297",
        f"好的。\n{BLOCK}\n{BLOCK_2}\n", _said("好的。", one, two), 1, 4, 15, 16, 40, 70, 110,
    )  # fmt: skip
    yield _words(
        vllm, "the closing tag stripped", f"{GITHUB}vllm-project/vllm/issues/19056",
        BLOCK.removesuffix("</tool_call>"), _said("", one),
    )  # fmt: skip
    yield _words(
        vllm, "the opening tag stripped", f"{GITHUB}vllm-project/vllm/issues/19056",
        BLOCK.removeprefix("<tool_call>\n"),
        _said(BLOCK.removeprefix("<tool_call>\n").removesuffix("\n</tool_call>")),
    )  # fmt: skip
    yield _words(
        llama, "a JSON block for a call", f"{GITHUB}1CatAI/1Cat-vLLM/issues/26",
        f'```json\n{{"name": "{W}", "arguments": {SHANGHAI}}}\n```',
        _said(f'```json\n{{"name": "{W}", "arguments": {SHANGHAI}}}\n```'),
    )  # fmt: skip
    yield _words(
        ollama, "a call as XML", f"{GITHUB}continuedev/continue/issues/13057", XML, _said("", one)
    )
    yield _words(
        vllm, "two calls as XML and text", f"{GITHUB}ggml-org/llama.cpp/issues/15012",
        f"好的。\n{XML}\n{XML.replace('上海', '杭州')}\n请稍等。",
        _said("好的。请稍等。", one, two),
    )  # fmt: skip
    room = (
        "<tool_call>\n<function=query_meeting_room>\n<parameter=location>\n上海\n</parameter>\n"
        '<parameter=date>\n3\n</parameter>\n<parameter=features>\n["video"]\n</parameter>\n'
        "</function>\n</tool_call>"
    )
    yield _words(
        vllm, "XML with types of the schema", f"{GITHUB}vllm-project/vllm/pull/33965", room,
        _said("", ("query_meeting_room",
                   '{"location": "上海", "date": "3", "features": ["video"]}')),
    )  # fmt: skip
    yield _words(
        vllm, "XML with a tag in a value", f"{GITHUB}vllm-project/vllm/pull/33965",
        XML.replace("上海", "a</parameter>b <parameter= \n  c"),
        _said("", (W, '{"city": "a</parameter>b <parameter= \\n  c"}')),
    )  # fmt: skip
    yield _words(
        vllm, "XML without arguments", f"{GITHUB}ggml-org/llama.cpp/issues/15012",
        "<tool_call>\n<function=now>\n</function>\n</tool_call>", _said("", ("now", "{}")),
    )  # fmt: skip
    cut = XML[: XML.index("海") + 1]
    yield _words(
        vllm, "XML cut off in a value", f"{GITHUB}ggml-org/llama.cpp/issues/15012", cut,
        _said("", (W, "<parameter=city>\n上海")),
    )  # fmt: skip
    yield _words(
        vllm, "XML without closing tags", f"{GITHUB}continuedev/continue/issues/13057",
        f"<tool_call>\n<function={W}>\n<parameter=city> 上海\n</tool_call>",
        _said("", (W, "<parameter=city> 上海")),
    )  # fmt: skip
    yield _words(
        openai, "a call where none may be", "a model that calls though tool_choice is none",
        f"不用。{BLOCK}", _said("不用。"), choice="none",
    )  # fmt: skip
    yield _words(
        openai, "a call without tools", "a model that calls though it was offered nothing",
        f"不用。{BLOCK}", _said(f"不用。{BLOCK}"), tools=(),
    )  # fmt: skip
    yield _words(
        openai, "angle brackets", "text about HTML", "用 <b>粗体</b>，a < b && c > d，<tool_",
        _said("用 <b>粗体</b>，a < b && c > d，"),
    )  # fmt: skip


def _beside() -> Iterator[Made]:
    source = f"{GITHUB}raullenchai/Rapid-MLX/issues/448"
    parsed = [openai(call(0, "a", W, "")), openai(call(0, arguments=SHANGHAI))]
    end = [openai({}, "tool_calls"), openai(None, usage=USAGE)]

    def text(*parts: str) -> list[dict[str, Any]]:
        return [openai({"content": part}) for part in parts]

    once = _said("", *ONE)
    yield made("the call's text before the call", source,
               sse(*text(*pieces(BLOCK, 5, 30)), *parsed, *end), once)  # fmt: skip
    yield made("the call's text after the call", source,
               sse(*parsed, *text(*pieces(BLOCK, 5, 30)), *end), once)  # fmt: skip
    yield made("an opening tag beside the call", source,
               sse(*text("<tool_call>"), *parsed, *end), once)  # fmt: skip
    yield made("an opening tag beside the call, and text", source,
               sse(*text("<tool_call>\n"), *parsed, *text("好"), *end), once)  # fmt: skip
    yield made("a closing tag beside the call", source,
               sse(*parsed, *text("\n</tool_call>"), *end), once)  # fmt: skip
    yield made("another call's text beside the call", source,
               sse(*parsed, *text(BLOCK_2), *end), _said("", *TWO))  # fmt: skip
    yield made("another call's text before the call", source,
               sse(*text("好的。\n", BLOCK_2), *parsed, *end),
               _said("好的。", TWO[1], TWO[0]))  # fmt: skip
    yield made("the call's text, written otherwise", source,
               sse(*parsed, *text(BLOCK.replace('": "', '":"')), *end), once)  # fmt: skip


def _thoughts() -> Iterator[Made]:
    opened = f"{GITHUB}vllm-project/vllm/issues/13125"
    for chunk, name in ((vllm, "vllm"), (llama, "llama.cpp"), (deepseek, "deepseek")):
        yield _words(
            chunk, f"{name} thought in tags", f"{GITHUB}ikawrakow/ik_llama.cpp/issues/690",
            "<think>\n想 <tool_call> 想\n</think>\n\n答。", _said("答。", thought="想 <tool_call> 想"),
            thinking=True,
        )  # fmt: skip
        yield _words(
            chunk, f"{name} thought opened by the template", opened,
            "先想想，\n再说。\n</think>\n\n答。", _said("答。", thought="先想想，\n再说。"), thinking=True,
        )  # fmt: skip
    yield _words(
        vllm, "thought opened by the template, then a call", opened,
        f"要查。\n</think>\n\n{BLOCK}", _said("", *ONE, thought="要查。"), thinking=True,
    )  # fmt: skip
    yield _words(
        vllm, "a call in a thought opened by the template", opened,
        f"也许 {BLOCK} 不用。\n</think>\n\n不用查。",
        _said("不用查。", thought=f"也许 {BLOCK} 不用。"), thinking=True,
    )  # fmt: skip
    yield _words(
        vllm, "no thought where one might be", opened, f"好的。\n{BLOCK}",
        _said("好的。", *ONE), thinking=True,
    )  # fmt: skip
    yield _words(
        vllm, "a call where a thought might be", opened, f"{BLOCK}\n<think>晚了</think>好",
        _said("好", *ONE, thought="晚了"), thinking=True,
    )  # fmt: skip
    yield _words(
        vllm, "a closing tag though thinking is off", opened, "答</think>。", _said("答。")
    )
    yield _words(
        vllm, "two thoughts", opened, "<think>一</think>甲<think>二</think>乙",
        _said("甲乙", thought="一二"), thinking=True,
    )  # fmt: skip
    yield _words(
        vllm,
        "an empty thought",
        opened,
        "<think>\n\n</think>\n\n答。",
        _said("答。"),
        thinking=True,
    )
    for field, chunk, source in (
        ("reasoning_content", sglang, f"{GITHUB}sgl-project/sglang/issues/6310"),
        ("reasoning", openrouter, "OpenRouter documentation, reasoning tokens"),
    ):
        events = [chunk({field: p}) for p in ("\n", "想，", "再想。\n")]
        events += [chunk({"content": p}) for p in ("\n\n", "答", "。 ", "完。")]
        end = [chunk({}, "stop"), chunk(None, usage=USAGE)]
        yield made(
            f"thought in {field}", source, sse(*events, *end),
            _said("\n\n答。 完。", thought="\n想，再想。\n"), thinking=True,
        )  # fmt: skip
        both = [chunk({field: "想", "content": ""}), chunk({field: "完", "content": "答"})]
        yield made(
            f"thought in {field}, text beside it", source, sse(*both, *end),
            _said("答", thought="想完"), thinking=True,
        )  # fmt: skip
        held = [chunk({"content": "\n"}), chunk({field: "想"}), chunk({"content": "答"})]
        yield made(
            f"white space before the {field}", source, sse(*held, *end),
            _said("\n答", thought="想"), thinking=True,
        )  # fmt: skip
    both = [openrouter({"reasoning": "想", "reasoning_content": "想", "content": ""}),
            openrouter({"content": "答"}, "stop"), openrouter(None, usage=USAGE)]  # fmt: skip
    yield made("the thought in both fields", "OpenRouter documentation, reasoning tokens",
               sse(*both), _said("答", thought="想"), thinking=True)  # fmt: skip


def made_up() -> Iterator[Made]:
    for some in (_calls, _beside, _thoughts):
        yield from some()

"""What the pages are made of, without a browser."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from dazi.console import knowledge_texts, sign_in_texts, texts
from dazi.console.abilities import abilities, first_clause, remark, short, suggestions
from dazi.console.attachments import chart_options
from dazi.console.call_card import TONES
from dazi.console.history import replay
from dazi.console.labels import argument_fields, exact, result_shown
from dazi.console.markdown import to_html
from dazi.console.visible import has_hidden, reveal, reveal_html
from dazi.core.company import Company
from dazi.core.language import Text, language_of
from dazi.core.messages import CallText, Message
from dazi.core.tools import Tool
from dazi.core.turn import AnswerDelta, Attachment, CallFinished, CallProposed, Outcome
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.memory.threads import Kept


@pytest.fixture(scope="module")
def company() -> Company:
    return load_company(demo_folder())


# --- words -----------------------------------------------------------------------------------


def test_every_text_is_there_in_both_languages() -> None:
    modules = (texts, sign_in_texts, knowledge_texts)
    found = [v for m in modules for v in vars(m).values() if isinstance(v, Text)]
    found += [*texts.OUTCOMES.values(), *sign_in_texts.ERRORS.values()]
    found += [*knowledge_texts.STATES.values(), *knowledge_texts.KINDS.values()]
    assert len(found) > 70
    for text in found:
        assert text.zh and text.en, text
        # The switch names the other language.
        assert language_of(text.en) == "en" or text in (
            texts.SWITCH_LANGUAGE,
            texts.SWITCH_LANGUAGE_HINT,
        )


def test_every_outcome_has_a_word_and_a_tone() -> None:
    assert set(texts.OUTCOMES) == set(TONES) == set(get_args(Outcome))


# --- markdown ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "evil",
    [
        "![a](https://evil.example/?q=1)",
        "![a][r]\n\n[r]: https://evil.example/x 'title'",
        "[![a](https://evil.example/x)](https://evil.example/y)",
        '<img src="https://evil.example/x">',
        "<IMG SRC=//evil.example/x onerror=alert(1)>",
        "<svg><image href='https://evil.example/x'/></svg>",
        "<style>@import 'https://evil.example/x'</style>",
        "<link rel=prefetch href=https://evil.example/x>",
        "[a](javascript:alert(1))",
        "[a](data:text/html,<script>alert(1)</script>)",
        "<https://evil.example/x>",
        "https://evil.example/x",
        "![a](<https://evil.example/ x>)",
        "```html\n<img src=https://evil.example/x>\n```",
        "| ![a](https://evil.example/x) |\n| --- |\n| <img src=//evil.example> |",
        '[a](https://evil.example/"onmouseover="alert(1))',
    ],
)
def test_markdown_can_reach_nothing(evil: str) -> None:
    found = Tags()
    found.feed(to_html(evil))
    assert found.tags <= HARMLESS_TAGS and found.attributes <= {"class", "tabindex"}


HARMLESS_TAGS = {
    "p",
    "br",
    "em",
    "strong",
    "s",
    "code",
    "pre",
    "ul",
    "ol",
    "li",
    "blockquote",
    "hr",
    "span",
    "div",
    "h1",
    "h2",
    "h3",
}
HARMLESS_TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}


class Tags(HTMLParser):
    """Every tag and attribute that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_a_link_is_its_words_and_its_address() -> None:
    html = to_html("看[制度](https://intra.example/a?b=1&c=2)和<https://intra.example/x>")
    assert '制度 <span class="dz-url">(https://intra.example/a?b=1&amp;c=2)</span>' in html
    assert html.count("intra.example/x") == 1


def test_markdown_draws_what_answers_need() -> None:
    html = to_html("**粗** `码`\n第二行\n\n- 一\n\n| a | b |\n| --- | --- |\n| 1 | 2 |")
    for part in ("<strong>粗</strong>", "<code>码</code>", "<br", "<li>一</li>", "<td>1</td>"):
        assert part in html


# --- what cannot be seen -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "char", "\u202e\u200b\u2066\ufeff\u00ad\u2028\ufe0f\u00a0\u3164\U000e0041\x00"
)
def test_hidden_characters_are_marked(char: str) -> None:
    code = f"U+{ord(char):04X}"
    assert has_hidden(char)
    assert reveal(f"a{char}b") == f"a⟦{code}⟧b"
    html = reveal_html(f"<{char}>")
    assert char not in html and code in html and html.startswith("&lt;")


def test_ordinary_text_is_left_alone() -> None:
    text = "退款 299.00 元,\n原因:\u3000不想要了 (naïve) 🙂"
    assert reveal(text) == text and not has_hidden(text)


# --- labels ------------------------------------------------------------------------------------


def test_arguments_are_exact_and_labelled(company: Company) -> None:
    tool = company.tools["request_refund"]
    given = {"order_id": "ORD12345", "amount": 1299.5, "extra": {"a": 1}}
    fields = argument_fields(tool, given, "zh", missing=True)
    assert [(f.label, f.value, f.given) for f in fields] == [
        ("订单号", "ORD12345", True),
        ("金额", "1,299.50", True),
        ("原因", "未填写", False),
        ("extra", '{"a":1}', True),
    ]
    absent = argument_fields(tool, {"order_id": "ORD12345", "reason": "r"}, "en", missing=True)
    assert [f.note for f in absent] == ["", "the whole order if left out", ""]
    budget = argument_fields(company.tools["fetch_department_budget"], {"dept": "rd"}, "en")
    assert [(f.label, f.value) for f in budget] == [("department", "R&D")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.001, "0.001"),
        (299.0, "299"),
        (1e20, "100,000,000,000,000,000,000"),
        (True, "是"),
        (7, "7"),
    ],
)
def test_no_value_is_rounded_away(value: object, shown: str) -> None:
    assert exact(value, "zh") == shown


def test_a_result_is_fields_and_rows(company: Company) -> None:
    tool = company.tools["list_orders"]
    rows = [{"order_id": f"ORD{n:05d}", "status_text": "已打包", "hidden": "x"} for n in range(30)]
    shown = result_shown(tool, {"orders": rows, "count": 30}, "zh")
    assert shown.columns == ("订单号", "状态") and shown.total == 30 and len(shown.rows) == 20
    assert "x" not in str(shown)


# --- suggestions ---------------------------------------------------------------------------------


def test_suggestions_are_examples_of_tools_that_the_role_may_use(company: Company) -> None:
    tools = company.tools.values()

    def theirs(role: str) -> list[Tool]:
        return [t for t in tools if role in t.roles]

    for language in ("zh", "en"):
        chips = suggestions(theirs("customer"), language)  # type: ignore[arg-type]
        allowed = {e.casefold() for t in tools if "customer" in t.roles for e in t.examples}
        assert chips and all(c.text.casefold() in allowed for c in chips)
        assert all(language_of(c.text) == language for c in chips)
        assert not all(c.complete for c in chips) and any(c.complete for c in chips)
    assert suggestions([], "zh") == []
    assert "给订单退款" in abilities(theirs("finance"), "zh")


def test_a_description_is_cut_after_its_first_clause() -> None:
    text = Text("查订单的状态:有没有发货、到哪了", "Open a ticket (repair, help)")
    assert short(text, "zh") == "查订单的状态" and short(text, "en") == "Open a ticket"
    assert remark(text, "zh") == "有没有发货、到哪了" and remark(text, "en") == "repair, help"
    assert first_clause("") == ""


# --- charts --------------------------------------------------------------------------------------


def test_a_chart_takes_over_values_and_nothing_else() -> None:
    data = {
        "kind": "pie",
        "categories": ["一月", 2],
        "unit": "CNY",
        ":tooltip": "alert(1)",
        "series": [
            {
                "name": "spent",
                "field": "spent",
                "labels": {"zh": "花费", "en": "spent"},
                "data": [1, "x"],
            },
            {
                "name": "2025-Q1",
                "field": "spent",
                "labels": {"zh": "花费"},
                "data": [True, None, 2.5],
            },
            "odd",
        ],
    }
    options = chart_options(data, "zh")
    assert [s["type"] for s in options["series"]] == ["bar", "bar"]
    assert [s["name"] for s in options["series"]] == ["花费", "花费 · 2025-Q1"]
    assert [s["data"] for s in options["series"]] == [[1, None], [None, None, 2.5]]
    assert options["xAxis"]["data"] == ["一月", "2"]
    assert ":tooltip" not in str(options) and "alert" not in str(options)


# --- history -------------------------------------------------------------------------------------


def test_a_kept_thread_becomes_its_events_again(company: Company) -> None:
    call = CallText("c1", "get_order_status", '{"order_id": "ORD12345"}')
    broken = CallText("c2", "request_refund", "not json")
    kept = [
        Kept(Message("user", "订单到哪了")),
        Kept(Message("assistant", "我查一下。", (call, broken))),
        Kept(Message("tool", "{}", call_id="c1"), "get_order_status", {"status": "packed"}),
        Kept(Message("tool", '{"error": "forbidden"}', call_id="c2"), "request_refund"),
        Kept(Message("assistant", "已打包。")),
        Kept(Message("user", "好")),
    ]
    first, second = replay(kept, company)
    assert (first.said, second.said, second.events) == ("订单到哪了", "好", ())
    kinds = [type(e) for e in first.events]
    assert kinds == [
        AnswerDelta,
        CallProposed,
        CallProposed,
        CallFinished,
        CallFinished,
        AnswerDelta,
    ]
    records = [e.record for e in first.events if isinstance(e, CallFinished)]
    assert [r.outcome for r in records] == ["ok", "forbidden"]
    assert "权限" in records[1].message and records[1].arguments == {}


def test_tables_and_charts_are_drawn_again(company: Company) -> None:
    rows = [{"name": "华东", "amount": 2}, {"name": "华南", "amount": 1}]
    kept = [
        Kept(Message("user", "画图")),
        Kept(Message("tool", "{}", call_id="a"), "query_sales_data", {"rows": rows}),
        Kept(Message("tool", "{}", call_id="b"), "generate_comparison_chart", {"title": "t"}),
    ]
    drawn = [e for e in replay(kept, company)[0].events if isinstance(e, Attachment)]
    assert [(a.kind, a.title) for a in drawn][1] == ("chart", "t")
    assert drawn[0].data["rows"][0] == ["华东", "2"]


# --- files ---------------------------------------------------------------------------------------


def test_the_files_name_no_other_host() -> None:
    folder = Path(texts.__file__).parent
    for path in [*folder.glob("*.js"), *folder.glob("*.css"), *folder.glob("*.py")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "http://" in line or "https://" in line:
                assert (
                    "127.0.0.1" in line or "www.w3.org/2000/svg" in line or "elsewhere" in line
                ), path

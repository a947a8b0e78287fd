"""What people are told when the host speaks."""

from __future__ import annotations

from dazi.core.language import Text
from dazi.core.tools import Parameter, Tool
from dazi.router.wording import approval_text, mend_text, outcome_text, reject_text

KIND = Parameter(
    "kind", "string", Text("种类", "kind"), enum=("a", "b"), labels={"a": Text("甲", "A")}
)
NAMES = Text("工具", "tool")
TOOL = Tool(
    "t", NAMES, NAMES, (KIND, Parameter("n", "integer", Text("", ""))), frozenset(), "read", "c",
    {"refused": {"zh": "订不上", "en": "Taken"}},
)  # fmt: skip


def test_outcomes() -> None:
    assert outcome_text("rejected", TOOL, "en") == "Taken"
    assert outcome_text("rejected", None, "en") == "It was not done."
    assert outcome_text("timeout", TOOL, "zh").startswith("系统没有及时回应")
    assert outcome_text("anything", None, "en") == "It did not succeed."


def test_who_has_to_agree() -> None:
    assert "您确认" in approval_text(None, "zh")
    assert "经理批准" in approval_text(Text("经理", "manager"), "zh")
    assert "manager" in approval_text(Text("经理", "manager"), "en")


def test_who_said_no_and_why() -> None:
    assert reject_text(False, "", "zh") == "好的,没有执行。"
    assert reject_text(True, "超支", "zh") == "审批没有通过,没有执行。理由:超支"
    assert reject_text(True, "too much", "en").endswith(" Reason: too much")


def test_what_is_asked_for() -> None:
    assert mend_text(TOOL, ["kind", "n"], "zh") == "请告诉我种类(甲、b)、n。"
    assert mend_text(TOOL, ["kind", "n"], "en") == "Please tell me the kind (A, b) and the n."
    assert mend_text(TOOL, ["gone"], "en") == "The arguments are not right; nothing was done."

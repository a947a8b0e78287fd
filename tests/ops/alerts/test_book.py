"""What is told when: groups, repeats, silences, acknowledgements, escalation."""

from __future__ import annotations

from dataclasses import replace

from dazi.ops.alerts.book import Ack, Book, Pace, Silence
from dazi.ops.alerts.measure import Reading
from dazi.ops.alerts.message import Message, markdown, plain, subject
from dazi.ops.alerts.rules import Selection, Threshold
from tests.ops.alerts.world import rule

RULE = rule(
    Threshold(Selection("dazi_tool"), "latest", "above", 0.2, each=("tool",)), "tool-failing",
    unit="share", clear_for_s=0.0,
)  # fmt: skip


def reading(tool: str, value: float) -> Reading:
    return Reading((("tool", tool),), value, value > 0.2, value <= 0.2)


class Line:
    """A book, and time that passes in steps of five seconds."""

    def __init__(self, **pace: float) -> None:
        self.book = Book([RULE], replace(Pace(), **pace), "https://dazi.example/alerts")  # type: ignore[arg-type]
        self.now = 1_000.0
        self.told: list[tuple[float, Message]] = []

    def pass_(self, seconds: float, **tools: float) -> list[Message]:
        begins, until = len(self.told), self.now + seconds
        while self.now < until:
            read = [reading(tool, value) for tool, value in tools.items()]
            self.book.observe(RULE, read, self.now)
            for message in self.book.due(self.now):
                self.told.append((self.now, message))
                self.book.sent(message, True, self.now)
            self.now += 5
        return [m for _, m in self.told[begins:]]

    def firing(self, tool: str) -> str:
        return next(a.fingerprint for a in self.book.firing() if dict(a.labels)["tool"] == tool)


def test_several_of_one_kind_come_in_one_message() -> None:
    line = Line()
    assert line.pass_(20, a=0.9) == []
    (first,) = line.pass_(60, a=0.9, b=0.8, c=0.7)
    assert [dict(a.labels)["tool"] for a in first.alerts] == ["a", "b", "c"]
    assert line.told[0][0] == 1_030, "thirty seconds after the first"
    (end,) = line.pass_(60, a=0, b=0, c=0)
    assert end.what == "resolved" and len(end.alerts) == 3


def test_what_is_over_before_it_was_told_is_never_told() -> None:
    line = Line()
    assert line.pass_(20, a=0.9) == [] and line.pass_(100, a=0) == []


def test_what_begins_anew_before_its_end_was_told_goes_on() -> None:
    line = Line()
    assert len(line.pass_(60, a=0.9)) == 1
    assert line.pass_(15, a=0) == [] and line.pass_(60, a=0.9) == []
    assert [m.what for m in line.pass_(60, a=0)] == ["resolved"]


def test_it_is_told_again_until_somebody_has_it() -> None:
    line = Line(repeat_s={"warning": 600.0})  # type: ignore[arg-type]
    assert [m.what for m in line.pass_(1_900, a=0.9)] == ["firing", "still", "still", "still"]
    alert = line.book.firing()[0]
    line.book.acks[alert.fingerprint] = Ack(alert.fingerprint, alert.fired, "admin", line.now)
    assert line.pass_(3_000, a=0.9) == []
    assert [m.what for m in line.pass_(60, a=0)] == ["resolved"]
    assert [m.what for m in line.pass_(700, a=0.9)] == ["firing", "still"], (
        "that was another firing"
    )


def test_a_silence_holds_for_what_it_names_and_until_then() -> None:
    line = Line()
    quiet = Silence("s", "tool-.*", {"tool": "a|c"}, line.now + 300, "admin", "mending", line.now)
    line.book.silences["s"] = quiet
    (told,) = line.pass_(200, a=0.9, b=0.9)
    assert [dict(a.labels)["tool"] for a in told.alerts] == ["b"]
    (later,) = line.pass_(200, a=0.9, b=0.9)
    assert [dict(a.labels)["tool"] for a in later.alerts] == ["a"] and later.at >= 1_300


def test_the_end_of_what_is_silenced_is_not_told_either() -> None:
    line = Line()
    assert len(line.pass_(60, a=0.9)) == 1
    line.book.silences["s"] = Silence("s", ".*", {}, line.now + 600, "admin", "x", line.now)
    assert line.pass_(900, a=0) == []


def test_without_an_acknowledgement_somebody_else_is_told_once() -> None:
    line = Line()
    line.book.escalate_s = lambda _: 300.0
    assert [m.what for m in line.pass_(900, a=0.9)] == ["firing", "escalated"]
    assert line.told[1][0] - line.told[0][0] >= 300
    other = Line()
    other.book.escalate_s = lambda _: 300.0
    other.pass_(60, a=0.9)
    alert = other.book.firing()[0]
    other.book.acks[alert.fingerprint] = Ack(alert.fingerprint, alert.fired, "admin", other.now)
    assert other.pass_(900, a=0.9) == []


def test_what_did_not_get_through_is_told_later() -> None:
    line = Line()
    line.book.observe(RULE, [reading("a", 0.9)], 0.0)
    (message,) = line.book.due(30.0)
    assert line.book.due(35.0) == [], "it is under way"
    line.book.sent(message, False, 40.0)
    assert line.book.due(95.0) == [] and len(line.book.due(100.0)) == 1


def test_those_who_go_elsewhere_come_apart() -> None:
    line = Line()
    line.book.way = lambda alert: dict(alert.labels)["tool"] == "a"
    assert sorted(len(m.alerts) for m in line.pass_(60, a=0.9, b=0.9, c=0.9)) == [1, 2]


def test_a_message_says_what_since_when_and_what_to_do_in_both_languages() -> None:
    line = Line()
    (message,) = line.pass_(40, refund=0.5)
    assert subject(message) == "[告警] [警告] 某事 / something"
    for said in (plain(message), markdown(message)):
        for part in ("tool=refund", "当前 50%,界限 20%", "now 50%, limit 20%", "看看", "look",
                     "docs/zh/alerts.md#tool-failing", "https://dazi.example/alerts"):  # fmt: skip
            assert part in said

"""What people are told about an outcome, when the host speaks rather than the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dazi.core.language import Language, Text
from dazi.core.tools import Parameter, Tool

_TEXTS: Mapping[str, Text] = {
    "unknown_tool": Text("没有这个工具,或现在不能用。", "There is no such tool here, or not now."),
    "invalid": Text("参数不对,没有执行。", "The arguments are not right; nothing was done."),
    "ungrounded": Text("缺少可靠的出处,没有执行。", "A value came from nowhere; nothing was done."),
    "forbidden": Text("您没有权限做这件事。", "You are not allowed to do this."),
    "not_found": Text(
        "没有查到相应的记录,请核对后再试。", "Nothing was found; please check and try again."
    ),
    "timeout": Text(
        "系统没有及时回应,请稍后再试。", "The system did not answer in time; try later."
    ),
    "unavailable": Text(
        "系统暂时不可用,请稍后再试。", "The system is unavailable right now; try later."
    ),
    "unknown": Text(
        "系统没有回应,不确定是否已执行。请先核实,不要重复提交。",
        "No answer came, so it is not known whether it was done. Check before trying again.",
    ),
    "needs_confirmation": Text(
        "这个操作需要您确认后才会执行。", "This needs your confirmation first."
    ),
    "rejected": Text("操作没有执行。", "It was not done."),
    "cancelled": Text("好的,没有执行。", "All right, it was not done."),
    "needs_approval": Text(
        "这个操作需要{role}批准后才会执行,已经提交。",
        "This needs the approval of someone who is {role}; it has been submitted.",
    ),
    "turned_down": Text("审批没有通过,没有执行。", "It was not approved, and not done."),
    "repeated": Text(
        "同样的操作刚才已经提交过。", "The very same thing was submitted a moment ago."
    ),
    "failed": Text("没有成功。", "It did not succeed."),
}


def outcome_text(outcome: str, tool: Tool | None, language: Language) -> str:
    """A sentence for the person; a declared ``refused`` text of the tool comes first."""
    if outcome == "rejected" and tool is not None and "refused" in tool.operation:
        return Text.of(tool.operation["refused"])(language)
    return _TEXTS.get(outcome, _TEXTS["failed"])(language)


def approval_text(role: Text | None, language: Language) -> str:
    """Says who has to agree: the person who asks, or somebody who has ``role``."""
    if role is None:
        return _TEXTS["needs_confirmation"](language)
    return _TEXTS["needs_approval"](language).format(role=role(language))


def reject_text(by_another: bool, reason: str, language: Language) -> str:
    """Says that a person said no, and why if they said so."""
    said = _TEXTS["turned_down" if by_another else "cancelled"](language)
    if not reason:
        return said
    return f"{said}理由:{reason}" if language == "zh" else f"{said} Reason: {reason}"


ASKING = Text("请告诉我", "Please tell me")
"""How the host's questions begin."""


def mend_text(tool: Tool, parameters: Sequence[str], language: Language) -> str:
    """Asks the person for what a call lacked."""
    lacking = [p for name in parameters if (p := tool.parameter(name)) is not None]
    if not lacking:
        return outcome_text("invalid", tool, language)
    wanted = [_wanted(p, language) for p in lacking]
    if language == "zh":
        return f"{ASKING.zh}{'、'.join(wanted)}。"
    return f"{ASKING.en} the {' and the '.join(wanted)}."


def _wanted(p: Parameter, language: Language) -> str:
    options = [p.labels[v](language) if v in p.labels else v for v in p.enum]
    said = p.description(language) or p.name
    if not options:
        return said
    return f"{said}({'、'.join(options)})" if language == "zh" else f"{said} ({', '.join(options)})"

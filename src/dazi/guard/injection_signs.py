"""The expressions of ``injection``, and for each what no match of it is without.

Those are looked for first, all at once: nearly every text has none of them.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from dazi.core.signals import Label


class Sign(NamedTuple):
    """``anchors``: any match of ``pattern`` holds one of them, in whatever case."""

    label: Label
    weight: float
    pattern: str
    anchors: tuple[str, ...]


def _each(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map("".join, product(first, second)))


_OLD = "(?:以上|上述|上面|之前|此前|先前|前面|所有|一切|全部|任何|你的|系统|原有)"
_ORDERS = "(?:指令|指示|规则|提示词?|要求|设定|约束|限制|命令|内容|说明)"
_EN_OLD = r"\b(?:previous|prior|above|earlier|all|any|your|system)\b"
_EN_ORDERS = r"\b(?:instructions?|rules?|prompts?|guidelines|directions|context)\b"
_ADDRESS = r"(?:https?://|[A-Za-z0-9._-]{1,40}@|[0-9]{8})"
SIGNS: tuple[Sign, ...] = (
    Sign(
        "override",
        0.8,
        r"(?:忽略|无视|忘记|忘掉|不要(?:理会|遵守|执行)|停止遵守|绕过|覆盖)"
        rf"[^。！\n]{{0,8}}{_OLD}[^。！\n]{{0,12}}{_ORDERS}",
        (
            "忽略",
            "无视",
            "忘记",
            "忘掉",
            "不要理会",
            "不要遵守",
            "不要执行",
            "停止遵守",
            "绕过",
            "覆盖",
        ),
    ),
    Sign(
        "override",
        0.8,
        r"\b(?:ignore|disregard|forget|bypass|override)\b"
        rf"[^.\n]{{0,30}}{_EN_OLD}[^.\n]{{0,30}}{_EN_ORDERS}",
        ("ignore", "disregard", "forget", "bypass", "override"),
    ),
    Sign(
        "override",
        0.5,
        r"(?:新的|更新后的|真正的|最高优先级的?)(?:系统)?(?:指令|任务|指示)[:：是]",
        _each(("指令", "任务", "指示"), (":", "：", "是")),
    ),
    Sign(
        "override",
        0.5,
        r"\b(?:new|updated|real|actual) (?:system )?(?:instructions?|task|objective)\s?:",
        _each(
            ("new ", "updated ", "real ", "actual "),
            ("system ", "instruction", "task", "objective"),
        ),
    ),
    Sign(
        "role",
        0.5,
        r"你现在是|从现在(?:起|开始),?，?你|你?(?:扮演|假装你?是)"
        r"|进入(?:开发者|管理员|维护|越狱)模式|解除(?:所有|一切|全部)?限制",
        ("你现在是", "从现在起", "从现在开始", "扮演", "假装", "模式", "解除"),
    ),
    Sign(
        "role",
        0.5,
        r"\b(?:you are now|from now on,? you|pretend (?:to be|you are)"
        r"|act as (?:an? )?(?:unrestricted|admin|root|system|developer)"
        r"|(?:developer|admin|god|dan) mode|jailbr(?:eak|oken))\b",
        ("you are now", "from now on", "pretend ", "act as ", " mode", "jailbr"),
    ),
    Sign(
        "markup",
        0.7,
        r"<\|(?:im_start|im_end|system|assistant|user|endoftext|eot_id)\|?>?"
        r"|\[/?INST\]|<</?SYS>>|</?(?:tool_call|tool_response|system|think)>",
        ("<|", "inst]", "sys>>", "tool_call>", "tool_response>", "system>", "think>"),
    ),
    Sign(
        "markup",
        0.4,
        r"(?:^|\n)[ \t#*>]{0,6}(?:system|assistant|developer|系统|系统消息|系统提示)[ \t*]{0,3}[:：]",
        _each(
            ("system", "assistant", "developer", "系统", "系统消息", "系统提示"), tuple(" \t*:：")
        ),
    ),
    Sign(
        "reveal",
        0.6,
        r"(?:输出|显示|打印|泄露|透露|公开|复述|重复|告诉我)[^。！\n]{0,12}"
        r"(?:系统提示词?|提示词|初始指令|隐藏指令|内部规则|密码|密钥|令牌)",
        ("提示词", "系统提示", "初始指令", "隐藏指令", "内部规则", "密码", "密钥", "令牌"),
    ),
    Sign(
        "reveal",
        0.6,
        r"\b(?:reveal|print|repeat|show|leak|output|disclose)\b[^.\n]{0,30}\b(?:system prompt"
        r"|initial instructions|hidden instructions|api keys?|passwords?|secrets?|credentials)\b",
        ("system prompt", " instructions", "api key", "password", "secret", "credentials"),
    ),
    Sign(
        "send_out",
        0.6,
        r"(?:发送|转发|上传|提交|抄送|同步|汇款|转账|打款)[^。！\n]{0,24}(?:到|至|给)"
        rf"[^。！\n]{{0,6}}{_ADDRESS}",
        ("发送", "转发", "上传", "提交", "抄送", "同步", "汇款", "转账", "打款"),
    ),
    Sign(
        "send_out",
        0.6,
        r"\b(?:send|forward|upload|post|email|transfer|wire|exfiltrate)\b[^.\n]{0,60}\bto\b"
        rf"[^.\n]{{0,20}}{_ADDRESS}",
        ("send", "forward", "upload", "post", "email", "transfer", "wire", "exfiltrate"),
    ),
    Sign(
        "send_out",
        0.5,
        r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{1,300}[?&][^)\s]{1,300}\)",
        ("](http",),
    ),
    Sign(
        "act",
        0.4,
        r"(?:立即|马上|必须|务必|请直接|现在就)[^。！\n]{0,8}(?:调用|执行|运行|使用)"
        r"[^。！\n]{0,12}(?:工具|函数|接口|命令|代码|操作)",
        ("立即", "马上", "必须", "务必", "请直接", "现在就"),
    ),
    Sign(
        "act",
        0.4,
        r"\b(?:immediately|you must|first|now)\b[^.\n]{0,20}\b(?:call|invoke|execute|run|use)\b"
        r"[^.\n]{0,20}\b(?:tool|function|command|code|script)\b",
        ("tool", "function", "command", "code", "script"),
    ),
    Sign(
        "conceal",
        0.7,
        r"(?:不要|别|切勿|不得|禁止|无需)(?:告诉|告知|通知|提醒|询问|让)"
        r"[^。！\n]{0,4}(?:用户|客户|任何人|对方|管理员|他|她)",
        _each(
            ("不要", "别", "切勿", "不得", "禁止", "无需"),
            ("告诉", "告知", "通知", "提醒", "询问", "让"),
        ),
    ),
    Sign(
        "conceal",
        0.7,
        r"\b(?:do not|don't|never|without)\b[^.\n]{0,12}\b(?:tell(?:ing)?|inform(?:ing)?"
        r"|mention(?:ing)?|notify(?:ing)?|ask(?:ing)?|alert(?:ing)?)\b[^.\n]{0,12}"
        r"\b(?:user|customer|anyone|human|person)\b",
        ("do not", "don't", "never", "without"),
    ),
)

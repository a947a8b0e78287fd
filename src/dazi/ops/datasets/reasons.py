"""Why a sample is not used: the names that files keep, and the words that people read."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

STAGES: Mapping[str, Text] = {
    "read": Text("读取来源", "reading the sources"),
    "rights": Text("合规:同意、保留期、许可", "compliance: consent, retention, licence"),
    "clean": Text("清洗:语言、长度、质量、敏感内容", "cleaning: language, length, quality, content"),
    "duplicates": Text("清洗:重复和近似重复", "cleaning: duplicates and near-duplicates"),
    "knowledge": Text("知识:问答对和工具调用", "knowledge: questions, answers and calls"),
    "personal": Text("合规:个人信息换成代号", "compliance: stand-ins for personal data"),
    "leaks": Text("与评测用例重合", "overlap with evaluations"),
    "groups": Text("分组:相近的进同一份", "groups: what is alike stays together"),
    "erased": Text("抹除", "erasure"),
    "taken_back": Text("撤下", "taking out"),
}  # fmt: skip
REASONS: Mapping[str, Text] = {
    "unreadable": Text("读不出来", "it cannot be read"),
    "no_sample": Text("里面没有能用的样本", "there is no sample in it"),
    "readers": Text("不是模型的使用者都能看的文档", "not everybody whom the model is for may read it"),
    "rated_down": Text("用户评为没有帮助", "people said that it did not help"),
    "few_stars": Text("评分低于配方的下限", "rated lower than the recipe wants"),
    "no_reply": Text("没有回答", "nobody answered"),
    "licence": Text("许可不在配方列出的范围内", "its licence is none of the recipe's"),
    "consent": Text("没有这个人的同意", "the person has not agreed"),
    "erased": Text("这个人已被抹除", "the person is erased"),
    "taken_back": Text("不再可用来学", "it may not be learned from any more"),
    "expired": Text("过了保留期", "it is past its time"),
    "language": Text("不是配方要的语言", "in none of the recipe's languages"),
    "too_short": Text("太短", "too short"),
    "too_long": Text("太长", "too long"),
    "mojibake": Text("乱码", "wrongly decoded characters"),
    "symbols": Text("大部分是符号或数字", "mostly symbols or digits"),
    "repetition": Text("反复重复", "it repeats itself"),
    "boilerplate": Text("套话:版权、导航、免责声明", "boilerplate: notices, menus, disclaimers"),
    "gibberish": Text("不成词的字母", "letters that make no words"),
    "word": Text("含公司词表里的词", "it holds a word of the company's lists"),
    "secret": Text("含密钥或口令", "it holds a key or a password"),
    "injection": Text("含对模型下命令的话", "it holds orders to a model"),
    "duplicate": Text("与前面的一条相同", "the same as an earlier one"),
    "near_duplicate": Text("与前面的一条几乎相同", "nearly the same as an earlier one"),
    "unknown_tool": Text("公司没有这个工具", "the company has no such tool"),
    "bad_arguments": Text("参数不合工具的声明", "the arguments do not fit the tool"),
    "not_grounded": Text("参数的值没人说过", "nobody said what an argument says"),
    "passage": Text("只作为出题的材料", "used as material for questions only"),
    "not_in_passage": Text("回答不在原文里", "the answer does not stand in the passage"),
    "not_found_again": Text("用问题找不回这段原文", "the question does not lead back to the passage"),
    "personal": Text("含个人信息", "it holds personal data"),
    "personal_left": Text("换过之后仍有个人信息", "personal data is left after replacing"),
    "evaluation": Text("与评测用例重合", "it overlaps with an evaluation"),
}  # fmt: skip


def told(reason: str) -> Text:
    """``reason`` with what it concerns behind a colon, as in ``word:high``."""
    name, _, what = reason.partition(":")
    found = REASONS.get(name, Text(name, name))
    return Text(f"{found.zh}({what})", f"{found.en} ({what})") if what else found


def stage_text(name: str) -> Text:
    return STAGES.get(name, Text(name, name))

"""``dazi guard``: what the guard finds in a text, for trying out rules and for measuring it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dazi.core.errors import CallerError, DaziError
from dazi.core.language import Language, Text
from dazi.main.commands.options import language

if TYPE_CHECKING:
    from dazi.guard.engine import Guard
    from dazi.guard.findings import Finding

group = typer.Typer(no_args_is_help=True, help="护栏:个人信息、密钥、敏感词。The guard.")

RULES = "guard.yaml"
NOTHING = Text("没有发现。", "Nothing was found.")
FOUND = Text("共 {n} 处", "{n} found")
NAMES: dict[str, Text] = {
    "resident_id": Text("居民身份证", "resident id"),
    "bank_card": Text("银行卡", "bank card"),
    "mobile": Text("手机", "mobile"),
    "landline": Text("电话", "landline"),
    "email": Text("邮箱", "e-mail"),
    "uscc": Text("统一社会信用代码", "credit code"),
    "passport": Text("护照", "passport"),
    "permit": Text("通行证、居留证", "permit"),
    "plate": Text("车牌", "plate"),
    "address": Text("地址", "address"),
    "bank_account": Text("银行账号", "bank account"),
    "ip": Text("网络地址", "network address"),
    "api_key": Text("密钥、口令", "key or password"),
    "person": Text("姓名", "name"),
}


def guard_of(folder: Path | None) -> Guard:
    """The guard of a company folder; without one, or without its files, the built-in rules.

    Raises ``ConfigError`` with file, line and mend.
    """
    from dazi.guard.engine import Guard
    from dazi.guard.rules import read_rules
    from dazi.guard.words import WordList, read_words
    from dazi.packs.layers import layers_of
    from dazi.router.yaml_source import YamlSource

    if folder is None:
        return Guard()
    words = WordList(read_words(folder))
    path = layers_of(folder).find(RULES)
    if not path.is_file():
        return Guard(words=words)
    rules, recognisers = read_rules(YamlSource(path))
    return Guard(rules, recognisers, words)


@group.command("scan")
def scan(
    file: Annotated[
        str, typer.Argument(help="文本文件;- 是标准输入。A text file; - is standard input.")
    ],
    json_out: Annotated[
        bool,
        typer.Option(
            "--json",
            help='逐行读 {"id","text"},逐行写 {"id","spans"}。JSON Lines in and out.',
        ),
    ] = False,
    company: Annotated[
        Path | None,
        typer.Option("--company", help="公司目录:它的词表和自定义识别。Its words and recognisers."),
    ] = None,
) -> None:
    """找出个人信息、密钥和敏感词,什么都不改。Find personal data, secrets and words."""
    guard = guard_of(company)
    if json_out:
        wrong = 0
        for line, error in scan_lines(guard, _read(file).split("\n")):
            if error is None:
                typer.echo(line)
            else:
                wrong += 1
                typer.echo(error.message(language()), err=True)
        raise typer.Exit(2 if wrong else 0)
    typer.echo(as_text(_read(file), guard, language()))


def scan_lines(guard: Guard, lines: Iterable[str]) -> Iterator[tuple[str, DaziError | None]]:
    """A line of JSON for each line, or what is wrong with it."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            id_, text = _entry(number, line)
        except CallerError as e:
            yield "", e
            continue
        spans = [{"start": f.start, "end": f.end, "type": f.type} for f in guard.scan(text)]
        yield json.dumps({"id": id_, "spans": spans}, ensure_ascii=False), None


def _entry(number: int, line: str) -> tuple[Any, str]:
    try:
        data = json.loads(line)
    except ValueError as e:
        raise CallerError(
            "bad_line",
            f'第 {number} 行不是 JSON({e}),每行应为 {{"id": …, "text": "…"}}',
            f'line {number} is not JSON ({e}); a line is {{"id": …, "text": "…"}}',
        ) from None
    if not isinstance(data, dict) or not isinstance(data.get("text"), str) or "id" not in data:
        raise CallerError(
            "bad_line",
            f'第 {number} 行缺少 id 或文本 text,应为 {{"id": …, "text": "…"}}',
            f'line {number} lacks an id or a text that is a string; a line is {{"id": …, "text": "…"}}',
        )
    return data["id"], data["text"]


def _read(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as e:
        raise CallerError(
            "no_file", f"读不了 {file}:{e.strerror}", f"cannot read {file}: {e.strerror}"
        ) from None
    except UnicodeDecodeError as e:
        raise CallerError(
            "no_text",
            f"{file} 不是 UTF-8 文本({e.reason})",
            f"{file} is not UTF-8 text ({e.reason})",
        ) from None


def as_text(text: str, guard: Guard, language: Language) -> str:
    """The findings as lines ``line:column  type  what stands there``, and how many there are."""
    found = guard.scan(text)
    if not found:
        return NOTHING(language)
    rows = [_row(text, f, language) for f in found]
    return "\n".join([*rows, FOUND(language).format(n=len(found))])


def _row(text: str, f: Finding, language: Language) -> str:
    line = text.count("\n", 0, f.start) + 1
    column = f.start - (text.rfind("\n", 0, f.start) + 1) + 1
    name = NAMES[f.type](language) if f.type in NAMES else f.type
    shown = " ".join(text[f.start : f.end].split())
    return f"{line}:{column}  {name}  {shown}"

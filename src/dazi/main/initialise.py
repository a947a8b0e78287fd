"""``dazi init``: a small company folder that works at once and shows each part."""

from __future__ import annotations

import os
import re
from pathlib import Path

from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.packs.layers import SETTINGS, built_in

START = "start"
"""What a pack gives a folder that is made on it."""
_EXTENDS = re.compile(r"^extends = .*$", re.MULTILINE)
_FILES = {
    "dazi.toml": """\
# true:带演示用户,只能在本机使用。Demo users; loopback only.
demo = true

[company]
name = { zh = "我的公司", en = "My company" }

# 数据库:名字 = URL。工具里用 connector: {kind: sql, database: 名字}
# Databases by name; a tool file says connector: {kind: sql, database: NAME}.
[databases]
main = "sqlite:///company.sqlite"

[[users]]
user = "staff"
name = { zh = "员工", en = "Staff" }
roles = ["staff"]
attributes = { employee_id = "E1" }
""",
    "roles.yaml": """\
roles:
  staff:
    name: {zh: 员工, en: staff}
""",
    "tools/main.yaml": """\
system: {zh: 公司数据库, en: company database}
connector: {kind: sql, database: main}
tools:
  find_contact:
    description: {zh: 按姓名查同事的电话和邮箱, en: Find a colleague's phone and mail by name}
    effect: read
    roles: [staff]
    parameters:
      name:
        type: string
        required: true
        description: {zh: 姓名, en: name}
    sql: SELECT name, phone, mail FROM contacts WHERE name = :name
    result:
      shape: one
      shown: [name, phone, mail]
      labels:
        name: {zh: 姓名, en: name}
        phone: {zh: 电话, en: phone}
        mail: {zh: 邮箱, en: mail}
    examples: [小王的电话是多少, 怎么联系财务, who do I call, mail address of]
    example: {name: 小王, phone: "8001", mail: wang@example.com}
""",
    "seed.py": '''\
"""Fills the sample database. Replace it by your own database in dazi.toml."""

import sqlite3
from datetime import date
from pathlib import Path


def seed(database: Path, today: date, force: bool = False) -> bool:
    with sqlite3.connect(database) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS contacts (name TEXT PRIMARY KEY, phone TEXT, mail TEXT)"
        )
        connection.execute(
            "INSERT OR IGNORE INTO contacts VALUES ('小王', '8001', 'wang@example.com')"
        )
    return True
''',
}


def initialise(folder: Path, language: Language, pack: str = "") -> list[str]:
    """Make ``folder``, on a pack where one is named: one that ships, or the folder of one. Raises
    ``CallerError`` rather than write over anything."""
    if folder.exists() and any(folder.iterdir()):
        raise CallerError(
            "not_empty",
            f"{folder} 不是空目录,换个名字,或先清空它",
            f"{folder} is not empty; choose another name or empty it first",
        )
    files = _on(pack, folder) if pack else _FILES
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    made = [str(folder / name) for name in files]
    told = {
        "zh": f"已生成。接着试试:dazi check {folder};dazi serve --company {folder}",
        "en": f"Done. Now try: dazi check {folder}; dazi serve --company {folder}",
    }
    return [*made, told[language]]


def _on(pack: str, folder: Path) -> dict[str, str]:
    """What the pack's ``start`` holds, or as little as a company needs. Raises ``CallerError`` where there
    is no such pack."""
    known = built_in()
    place = known[pack] if pack in known else Path(pack).expanduser().resolve()
    if not (place / SETTINGS).is_file():
        told = ", ".join(known)
        raise CallerError(
            "no_pack",
            f"没有包 {pack};自带的有:{told},也可以写一个目录",
            f"there is no pack {pack}; those that ship: {told}; or name a folder",
        )
    extends = pack if pack in known else Path(os.path.relpath(place, folder.resolve())).as_posix()
    if not extends.startswith(".") and pack not in known:
        extends = f"./{extends}"
    begun = place / START
    if not (begun / SETTINGS).is_file():
        return {SETTINGS: f'extends = "{extends}"\n\n[company]\nname = "{folder.name}"\n'}
    files = {p.relative_to(begun).as_posix(): p.read_text("utf-8") for p in _files(begun)}
    settings = _EXTENDS.sub(lambda _: f'extends = "{extends}"', files[SETTINGS], count=1)
    return {**files, SETTINGS: settings}


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)

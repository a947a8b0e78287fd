"""The demo company with what strangers write into and it lacks: an inbox, web pages, shared files,
a calendar behind an MCP server; and a tool that pays, which is not declared sensitive."""

from __future__ import annotations

import shutil
from pathlib import Path

from dazi.main.settings import demo_folder

_EMPLOYEES = "[staff, agent, supervisor, manager, finance, risk, admin]"
_READING = f"""
system: 收发室
connector: {{kind: python, module: functions.py}}
tools:
  read_inbox:
    description: {{zh: 看看收件箱里的新邮件, en: Read new mail}}
    effect: read
    roles: {_EMPLOYEES}
    function: read_inbox
    origin: mail
  fetch_page:
    description: {{zh: 打开一个网页, en: Open a web page}}
    effect: read
    roles: {_EMPLOYEES}
    function: fetch_page
    origin: web
    parameters:
      url: {{type: string, format: url, required: true, description: 网址}}
  list_files:
    description: {{zh: 列出共享盘里的文件, en: List shared files}}
    effect: read
    roles: {_EMPLOYEES}
    function: list_files
    parameters:
      folder: {{type: string, required: true, description: 目录}}
"""
_CALENDAR = f"""
system: 日历
connector: {{kind: mcp, url: "http://127.0.0.1:9/mcp"}}
tools:
  read_calendar:
    description: {{zh: 看看日程, en: Read the calendar}}
    effect: read
    roles: {_EMPLOYEES}
    tool: read_calendar
    pin: "0"
"""
_PAYMENTS = """
system: 付款
connector: {kind: python, module: functions.py}
tools:
  pay_invoice:
    description: {zh: 付一笔货款, en: Pay an invoice}
    effect: write
    roles: [finance]
    function: pay_invoice
    parameters:
      account: {type: string, format: account, required: true, description: 收款账号}
      amount: {type: number, format: money, minimum: 0.01, required: true, description: 金额}
      memo: {type: string, required: true, prose: true, description: 用途}
"""


def annexed(folder: Path) -> Path:
    """Make that company in ``folder``, which must not exist."""
    shutil.copytree(demo_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in (("reading", _READING), ("calendar", _CALENDAR), ("payments", _PAYMENTS)):
        (folder / "tools" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder

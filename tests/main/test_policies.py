"""Policies and approvals on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from dazi.main.settings import demo_folder
from tests.main.test_commands import dazi

MAIL = '{"to": "a@b.example", "subject": "退货政策", "body": "七天内可退"}'


def test_explain_says_who_must_agree_and_why(tmp_path: Path) -> None:
    environment = {"DAZI_DATA": str(tmp_path), "DAZI_LANG": "zh"}
    refund = '{"order_id": "ord 12345", "amount": 60000, "reason": "漏发"}'
    said = dazi("tool", "explain", "finance", "request_refund", refund, **environment).stdout
    assert "要由经理批准" in said and "retail.cedar:" in said and "approved_by" in said
    assert "ORD12345" in said  # the canonical argument
    found = json.loads(
        dazi(
            "tool", "explain", "staff", "send_email", MAIL, "--json",
            "--source", "to=mail:inbox", **environment,
        ).stdout
    )  # fmt: skip
    assert (found["allowed"], found["needs"]) == (True, "confirmation")
    said = dazi("tool", "explain", "customer", "send_email", MAIL, **environment).stdout
    assert "不允许" in said
    wrong = dazi("tool", "explain", "staff", "send_email", "to=x", **environment)
    assert wrong.returncode == 2 and "JSON" in wrong.stderr
    wrong = dazi("tool", "explain", "staff", "send_email", MAIL, "--source", "cc=x", **environment)
    assert "cc" in wrong.stderr


def test_check_points_at_a_wrong_policy(tmp_path: Path) -> None:
    folder = tmp_path / "company"
    shutil.copytree(demo_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "policies" / "mine.cedar").write_text(
        '\n@id("x") forbid (principal, action == Action::"request_refund", resource)\n'
        "when { context.args.amuont > 3 };\n",
        encoding="utf-8",
    )
    wrong = dazi("check", str(folder), DAZI_LANG="en")
    assert wrong.returncode == 2 and "mine.cedar:2" in wrong.stderr and "amuont" in wrong.stderr


def test_an_effect_of_unknown_outcome_is_settled_once(tmp_path: Path) -> None:
    import asyncio

    from tests.main.test_effects import write

    environment = {"DAZI_DATA": str(tmp_path), "DAZI_LANG": "en"}
    asyncio.run(write(tmp_path))
    said = dazi("tool", "settle", "k-silent", "done", "--note", "seen in the ERP", **environment)
    assert "request_refund  done" in said.stdout
    assert "k-silent" not in dazi("tool", "unknown", **environment).stdout
    assert "known already" in dazi("tool", "settle", "k-silent", "failed", **environment).stderr
    assert "no effect" in dazi("tool", "settle", "k-none", "done", **environment).stderr
    assert dazi("tool", "settle", "k-cut-off", "maybe", **environment).stderr
    shown = dazi("audit", "show", **environment).stdout
    assert "k-silent" in shown and "seen in the ERP" in shown
    assert dazi("audit", "verify", **environment).returncode == 0

"""Requests that a company collects beside its declarations decide which tools are offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from dazi.core.errors import ConfigError
from dazi.prompt.choose import Request, ToolChooser
from dazi.router.declare import load_tools

TOOLS = """\
system: {zh: 测试, en: test}
connector: {kind: python, module: functions.py}
tools:
  vault:
    description: {zh: 开保险柜, en: open the safe}
    effect: read
    roles: [staff]
    function: vault
  garden:
    description: {zh: 浇花, en: water the plants}
    effect: read
    roles: [staff]
    function: garden
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tools" / "examples").mkdir(parents=True)
    (tmp_path / "tools" / "system.yaml").write_text(TOOLS, encoding="utf-8")
    return tmp_path


def best(folder: Path, said: str) -> str:
    chooser = ToolChooser(load_tools(folder)[0].values())
    return chooser.choose(Request(said), lambda t: "staff" in t.roles, 1).offered[0].name


def test_a_line_of_the_file_brings_the_tool_along(folder: Path) -> None:
    assert best(folder, "叶子都蔫了") == "vault"
    (folder / "tools" / "examples" / "garden.txt").write_text(
        "# how people ask\n\n叶子都蔫了,谁管管\nthe leaves look sad\n", encoding="utf-8"
    )
    assert load_tools(folder)[0]["garden"].examples == ("叶子都蔫了,谁管管", "the leaves look sad")
    assert best(folder, "叶子都蔫了") == "garden"
    assert best(folder, "those leaves look so sad") == "garden"


def test_a_file_of_no_tool_stops_the_start(folder: Path) -> None:
    path = folder / "tools" / "examples" / "gardn.txt"
    path.write_text("叶子都蔫了\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="gardn"):
        load_tools(folder)

"""A declaration that is wrong says where, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dazi.core.errors import ConfigError
from dazi.router.declare import load_tools
from dazi.router.yaml_source import YamlSource

GOOD = """\
system: {zh: 系统, en: system}
connector: {kind: http, base: "http://x"}
tools:
  look_up:
    description: Look up
    effect: read
    roles: [staff]
    operation: lookUp
    parameters:
      order: {type: string, pattern: "^A[0-9]+$"}
      amount: {type: number, format: money}
      who: {type: string, labels: {a: 甲}}
    bind: {me: user_id, mine: {attribute: a, required_for: [customer]}}
    result:
      derive: [{label: state, as: text}]
      values: {state: {a: {zh: 甲, en: A}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tools" / "examples").mkdir(parents=True)
    return tmp_path


def declare(folder: Path, text: str = GOOD, name: str = "a") -> Path:
    path = folder / "tools" / f"{name}.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_declaration_as_it_should_be(folder: Path) -> None:
    declare(folder)
    (folder / "tools" / "examples" / "look_up.txt").write_text(
        "# these\n\n 查一下 \nfind it\n", "utf-8"
    )
    tools, connectors = load_tools(folder)
    tool = tools["look_up"]
    assert connectors["a"].config == {"base": "http://x"}
    assert tool.operation == {"operation": "lookUp"} and tool.examples == ("查一下", "find it")
    assert tool.parameter("amount").grounded and not tool.parameter("order").grounded  # type: ignore[union-attr]
    assert (tool.bind["me"].attribute, tool.bind["mine"].required_for) == ("user_id", {"customer"})
    assert tool.result.values["state"]["a"].en == "A" and tool.source.endswith("a.yaml:4")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("kind: http", "kind: htp", 2, "no connector kind"),
        ("look_up", "LookUp", 4, "lower-case"),
        ("operation: lookUp", "sql: SELECT", 8, "no key “sql”"),
        ("bind: {me: ", "bind: {order: ", 13, "cannot be a parameter too"),
        ("{label: state, as: text}", "{labl: state}", 15, "exactly one rule"),
        ("{label: state, as: text}", "{label: a, rate: b}", 15, "exactly one rule"),
        ('pattern: "^A[0-9]+$"', 'pattern: "^A[0-9+$"', 10, "regular expression"),
        ("{type: string, labels", "{type: array, labels", 12, "needs items"),
        ("{type: number, format: money}", "{type: string, format: money}", 11, "type number"),
        ("{type: number, format: money}", "{type: number, format: date}", 11, "type string"),
        ("effect: read\n", "effect: reads\n", 6, "effect"),
        ("    effect: read\n", "", 4, "Field required"),
        ("    roles:", "    rolls:", 4, "roles"),
        ("shape: x", "shape: x", None, ""),
    ][:-1],
)
def test_a_mistake_is_shown_where_it_stands(
    folder: Path, old: str, new: str, line: int, said: str
) -> None:
    path = declare(folder, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError, match=said) as caught:
        load_tools(folder)
    assert (caught.value.where, caught.value.line) == (str(path), line)


def test_a_name_is_taken_once(folder: Path) -> None:
    declare(folder)
    declare(folder, name="b")
    with pytest.raises(ConfigError, match="already declared") as caught:
        load_tools(folder)
    assert (Path(caught.value.where).name, caught.value.line) == ("b.yaml", 4)


def test_examples_of_no_tool_and_no_tools_at_all(folder: Path) -> None:
    with pytest.raises(ConfigError, match="declares no tools"):
        load_tools(folder)
    declare(folder)
    (folder / "tools" / "examples" / "other.txt").write_text("x", "utf-8")
    with pytest.raises(ConfigError, match="no tool “other”"):
        load_tools(folder)


def test_files_that_are_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with pytest.raises(ConfigError, match="no such file"):
        YamlSource(path)
    path.write_bytes(b"a: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        YamlSource(path)
    path.write_text("a: 1\nb: ]\n", "utf-8")
    with pytest.raises(ConfigError, match="not valid YAML") as caught:
        YamlSource(path)
    assert caught.value.line == 2
    for text in (
        "a: 2025-13-45",
        "a: \x00",
        "[" * 5001,
        "[" * 500_000,
        "- " * 500_000,
        "a: !!int ''",
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(ConfigError, match=r"quotes|control characters"):
            YamlSource(path)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("b",), 2),
        (("b", "list", 1), 5),
        (("b", "list", 1, "x"), 5),
        (("b", "list", 7), 3),
        (("b", "list", "x"), 3),
        (("b", "none"), 2),
        (("none",), 1),
        (("a", "deeper"), 1),
    ],
)
def test_the_line_of_a_path_or_of_what_there_is_of_it(
    tmp_path: Path, path: tuple[str | int, ...], line: int
) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: 1\nb:\n  list:\n    - one\n    - {x: 2}\n", "utf-8")
    source = YamlSource(file)
    assert source.line(path) == line
    assert str(source.error(path, "错", "wrong")) == f"{file}:{line}: wrong"


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("", "utf-8")
    source = YamlSource(file)
    assert source.data is None and source.line(("a",)) is None

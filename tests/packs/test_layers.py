"""A folder and the packs it extends: of each file the one that counts, and whence it is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dazi.access.cedar import CedarPolicy
from dazi.apps.desk.replies import load_replies
from dazi.apps.reports.declare import load_reports
from dazi.core.errors import ConfigError
from dazi.main.alerting import declared
from dazi.main.approved_answers import approved_answers
from dazi.main.company import load_company, load_settings
from dazi.main.guarding import guard_of
from dazi.main.knowledge_settings import knowledge_settings, roots_of
from dazi.main.origins import origins
from dazi.packs.layers import built_in, layers_of
from dazi.router.declare import load_tools

TOOL = """\
system: {{zh: 系统, en: system}}
connector: {{kind: sql, database: main}}
tools:
  {name}:
    description: {{zh: {said}, en: {said}}}
    effect: read
    roles: [staff]
    parameters: {{q: {{type: string, required: true}}}}
    sql: SELECT 1 AS n WHERE :q = :q
"""


def put(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def tool(name: str, said: str = "x") -> str:
    return TOOL.format(name=name, said=said)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return put(
        tmp_path / "base",
        {
            "dazi.toml": '[databases]\nmain = "sqlite:///b.sqlite"\nother = "sqlite:///o.sqlite"\n'
            '[knowledge]\nmanagers = ["boss"]\n[[users]]\nuser = "theirs"\nroles = ["staff"]\n',
            "roles.yaml": "staff: {name: 员工}\nboss: {includes: [staff]}\nold: {}\n",
            "tools/a.yaml": tool("find", "base"),
            "tools/b.yaml": tool("count", "base"),
            "tools/examples/find.txt": "look for\n",
            "tools/examples/count.txt": "how many\n",
            "policies/p.cedar": '@id("p")\nforbid (principal, action == Action::"find", resource)\n'
            'when { context.args.q == "x" };\n',
            "words/w.txt": "[high]\n机密词\n",
            "guard.yaml": "output: {mobile: mask}\n",
            "desk/replies.yaml": "- {name: hi, title: hi, text: hello}\n",
            "answers.yaml": "answers: [{questions: [几点], answer: 九点, approved_by: a}]\n",
            "alerts.yaml": "rules: {gpu-hot: off}\n",
            "knowledge/fees.md": "# fees\n",
            "knowledge/kept.md": "# kept\n",
            "models.yaml": "models: {}\n",
        },
    )


@pytest.fixture
def own(tmp_path: Path, base: Path) -> Path:
    put(tmp_path / "middle", {"dazi.toml": 'extends = "../base"\n', "tools/c.yaml": tool("sum")})
    return put(
        tmp_path / "own",
        {"dazi.toml": 'extends = "../middle"\n', "roles.yaml": "guest: {includes: [staff]}\n"},
    )


def extend(own: Path, text: str) -> Path:
    return put(own, {"dazi.toml": 'extends = "../middle"\n' + text})


def test_everything_is_inherited_through_a_chain(own: Path, base: Path) -> None:
    company = load_company(own)
    assert list(company.tools) == ["find", "count", "sum"]
    assert company.tools["find"].examples == ("look for",)
    assert list(company.roles) == ["staff", "boss", "old", "guest"]
    assert company.roles["guest"] == {"guest", "staff"}
    assert [Path(p.path).name for p in company.policies] == ["p.cedar"]
    assert CedarPolicy(company).own == 1
    assert company.settings["databases"]["main"] == "sqlite:///b.sqlite"
    assert {f.type for f in guard_of(own).scan("这是机密词")} == {"word:high"}
    assert [r.name for r in load_replies(own)] == ["hi"]
    assert approved_answers(company).find("几点", frozenset(), date(2025, 4, 3))
    assert "gpu-hot" not in {r.name for r in declared(own).rules}
    assert knowledge_settings(company).managers == {"boss"}
    assert load_reports(company) == {}


def test_people_and_machines_are_not_inherited(own: Path) -> None:
    put(own, {"../base/channels.yaml": "channels: {}\n"})
    with (own.parent / "base" / "dazi.toml").open("a") as more:
        more.write('[[knowledge.sources]]\nfolder = "elsewhere"\n')
    company = load_company(own)
    assert company.users == () and not company.demo
    places = [s.place for s in knowledge_settings(company).sources]
    assert places == ["{pack:base}/knowledge"]
    layers = layers_of(own)
    for name in ("models.yaml", "channels.yaml"):
        assert layers.find(name) == own / name and not (own / name).exists()
        assert layers.glob(name) == []


def test_a_file_takes_the_place_of_the_one_of_its_name(own: Path) -> None:
    put(
        own,
        {
            "tools/a.yaml": tool("find", "own"),
            "tools/examples/find.txt": "seek\n",
            "guard.yaml": "output: {email: mask}\n",
        },
    )
    tools, _ = load_tools(own)
    assert tools["find"].description.en == "own" and tools["find"].examples == ("seek",)
    assert tools["find"].source == f"{own / 'tools' / 'a.yaml'}:4"
    assert guard_of(own).rules != guard_of(own.parent / "base").rules


def test_a_tool_takes_the_place_of_the_one_of_its_name_in_another_file(own: Path) -> None:
    put(
        own,
        {
            "tools/mine.yaml": tool("find", "own"),
            "dazi.toml": 'extends = "../middle"\n[databases]\nmain = "sqlite:///mine.sqlite"\n',
        },
    )
    tools, connectors = load_tools(own)
    assert tools["find"].description.en == "own"
    assert tools["find"].examples == ()  # those of the pack are of its declaration
    assert set(connectors) == {"b", "c", "mine"}  # nothing uses the pack's first file any more
    databases = load_settings(own)["databases"]
    assert databases == {"main": "sqlite:///mine.sqlite", "other": "sqlite:///o.sqlite"}
    layers = layers_of(own)
    assert layers.whence(tools["find"].source) == ""
    assert layers.whence(tools["count"].source) == "base"
    assert layers.told(tools["sum"].source) == "middle: tools/c.yaml:4"


def test_what_is_left_out_is_gone(own: Path, base: Path) -> None:
    extend(
        own,
        'without = ["tool:count", "role:old", "policies/p.cedar", "words", "answers.yaml", '
        '"setting:databases.other", "knowledge/fees.md"]\n',
    )
    company = load_company(own)
    assert list(company.tools) == ["find", "sum"]
    assert "old" not in company.roles and company.policies == ()
    assert not guard_of(own).scan("这是机密词")
    assert "other" not in company.settings["databases"]
    layers = layers_of(own)
    assert not layers.find("answers.yaml").exists()
    assert not layers.counts(base / "knowledge" / "fees.md")
    assert layers.counts(base / "knowledge" / "kept.md")


@pytest.mark.parametrize(
    "name",
    ["tool:nothing", "role:nothing", "setting:nothing.here", "policies/none.cedar", "dazi.tml"],
)
def test_leaving_out_what_is_not_there_is_a_mistake(own: Path, name: str) -> None:
    extend(own, f'without = ["{name}"]\n')
    with pytest.raises(ConfigError) as wrong:
        load_company(own)
    assert name in wrong.value.text.zh and wrong.value.line == 2
    assert wrong.value.where == str(own / "dazi.toml")


def test_documents_of_packs_are_sources_and_own_ones_take_their_place(
    own: Path, base: Path
) -> None:
    put(own, {"knowledge/fees.md": "# ours\n"})
    sources = knowledge_settings(load_company(own)).sources
    assert [s.place for s in sources] == ["{company}/knowledge", "{pack:base}/knowledge"]
    assert roots_of(own, own / ".dazi")["{pack:base}"] == base
    layers = layers_of(own)
    assert not layers.counts(base / "knowledge" / "fees.md")
    assert layers.counts(own / "knowledge" / "fees.md")
    extend(own, 'without = ["knowledge"]\n')
    assert [s.place for s in knowledge_settings(load_company(own)).sources] == [
        "{company}/knowledge"
    ]


@pytest.mark.parametrize(
    ("extends", "says"),
    [
        ('"nothing"', "finance"),
        ('"../nowhere"', "no dazi.toml"),
        ("3", "name or a path"),
        ('""', "name or a path"),
        ('"../own"', "circle"),
        ('"../middle"\nwithout = "x"', "list of texts"),
    ],
)
def test_what_cannot_be_extended(own: Path, extends: str, says: str) -> None:
    put(own, {"dazi.toml": f"extends = {extends}\n"})
    with pytest.raises(ConfigError) as wrong:
        load_company(own)
    assert says in wrong.value.text.en and wrong.value.line


def test_a_circle_of_three_is_told_with_its_links(own: Path, base: Path) -> None:
    put(base, {"dazi.toml": 'extends = "../own"\n'})
    with pytest.raises(ConfigError) as wrong:
        layers_of(own)
    assert "own → middle → base" in wrong.value.text.en
    assert wrong.value.where == str(base / "dazi.toml")


def test_without_needs_something_below(tmp_path: Path) -> None:
    put(tmp_path, {"dazi.toml": 'without = ["x"]\n'})
    with pytest.raises(ConfigError, match="goes with extends"):
        layers_of(tmp_path)


def test_a_mistake_in_a_pack_is_shown_in_the_pack(own: Path, base: Path) -> None:
    put(base, {"tools/b.yaml": tool("count").replace("effect: read", "effect: reed")})
    with pytest.raises(ConfigError) as wrong:
        load_company(own)
    assert wrong.value.where == str(base / "tools" / "b.yaml") and wrong.value.line == 6
    put(base, {"tools/b.yaml": tool("count"), "dazi.toml": "[databses]\n"})
    with pytest.raises(ConfigError) as wrong:
        load_company(own)
    assert wrong.value.where == str(base / "dazi.toml") and "databses" in wrong.value.text.en


def test_the_settings_of_a_pack_are_not_changed_by_who_extends_it(own: Path) -> None:
    extend(own, 'without = ["setting:databases.other"]\n')
    for _ in range(2):
        assert "other" not in load_settings(own)["databases"]
        assert "other" in load_settings(own.parent / "base")["databases"]


def test_whence_the_parts_come(own: Path) -> None:
    extend(own, 'without = ["tool:count"]\n')
    put(own, {"words/w.txt": "别的词\n", "tools/mine.yaml": tool("mine")})
    text = "\n".join(origins(load_company(own), "en"))
    for said in (
        "tools base: find", "tools middle: sum", "tools own: mine", "roles base: staff, boss, old",
        "roles own: guest", "settings base: databases, knowledge", "policies/p.cedar",
        "replaced: base: words/w.txt", "left out: tool:count",
    ):  # fmt: skip
        assert said in text
    assert origins(load_company(own.parent / "base"), "en") == []


def test_the_packs_that_ship() -> None:
    assert set(built_in()) == {"finance", "retail"}

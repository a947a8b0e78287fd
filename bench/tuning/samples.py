"""Samples for the new tool, of phrasings and its declaration, and samples of the old ones beside them."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "models" / "mini")]

import generate  # noqa: E402
import slots  # noqa: E402
from phrasing import BadPhrasing  # noqa: E402

from dazi.agent.taught import fields_of, filled, holds  # noqa: E402
from dazi.core.engine import TaughtReply  # noqa: E402
from dazi.core.language import Language  # noqa: E402
from dazi.core.messages import dumps  # noqa: E402
from dazi.prompt.choose import Request, ToolChooser  # noqa: E402
from dazi.router.declare import load_tools  # noqa: E402
from dazi.router.derive import derive  # noqa: E402
from dazi.router.grounding import Evidence, offer  # noqa: E402
from dazi.router.view import model_view  # noqa: E402

TOOL = "track_parcel"
WORDS = HERE / "phrasings"
OFFERED = 5
DIGITS = re.compile(r"(YS)(?=\d{10})", re.IGNORECASE)
KINDS = {"request": 62, "joined": 8, "missing": 12, "none": 12, "order": 6}
REPLIED = 0.2
COMMON = 6
"""Samples that must share a list of offered tools."""
BESIDE = 0.5
ALIKE = 6
"""So many samples may differ in their numbers alone: copying those is what is to be learnt."""
LANGUAGES: dict[Language, int] = {"zh": 55, "en": 45}


def company(into: Path) -> Path:
    """The demo company with the new tool: its folder, laid under that of ``bench/tuning/company``."""
    if not into.exists():
        shutil.copytree(ROOT / "examples" / "yunshan", into)
        shutil.copytree(HERE / "company", into, dirs_exist_ok=True)
    return into


class Parcels(generate.Maker):
    """Makes conversations about parcels, in the company that has the tool."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(seed)
        self.tools, _ = load_tools(folder)
        self.every = {**self.every, **self.tools}
        self.chooser = ToolChooser(self.tools.values())
        self.tool = self.tools[TOOL]
        self.replies = [TaughtReply(*r) for r in json.loads((WORDS / "replies.json").read_text())]
        self.system = _module(folder / "parcels.py").track_parcel
        for language in LANGUAGES:
            self.files[language]["requests"][TOOL] = slots.lines(WORDS / f"{TOOL}.{language}.txt")

    def sample(self, number: int) -> dict[str, Any]:
        rng = self.rng
        language = rng.choices(list(LANGUAGES), list(LANGUAGES.values()))[0]
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        messages = getattr(self, f"_{kind}")(language)
        called = [c["name"] for m in messages for c in m.get("tool_calls", ())]
        roles = [r for r in sorted(self.roles) if all(r in self.tools[n].roles for n in called)]
        return {
            "id": f"parcel-{number}",
            "conversation": f"parcel-{number}",
            "kind": "call" if called else "chat",
            "language": language,
            "messages": messages,
            "tools": [],
            "role": rng.choice(roles or ["customer"]),
            "today": (date(2025, 1, 1) + timedelta(days=rng.randrange(900))).isoformat(),
            "source": {"kind": "phrasings", "ref": kind, "licence": "Apache-2.0", "consent": "own"},
        }

    def _request(self, language: Language) -> list[dict[str, Any]]:
        text, call = self.request(TOOL, language)
        messages = [_user(self._spelt(self.around(text, language))), _call(call)]
        if self.rng.random() < REPLIED:
            messages += self._answered(call.arguments, language)
        return messages

    def _joined(self, language: Language) -> list[dict[str, Any]]:
        others = [n for n in self.requested if n not in (TOOL, "search_knowledge", "send_email")]
        name = self.rng.choice(others)
        text, call = self.request(TOOL, language)
        more, other = self.request(name, language)
        parts = [(text, call), (more, other)]
        self.rng.shuffle(parts)
        joint = self.rng.choice(
            (",顺便", "。另外", ",再", ";") if language == "zh" else (", and ", ". Also ", "; ")
        )
        said = self._spelt(parts[0][0].rstrip("。.") + joint + parts[1][0])
        calls = [{"name": c.name, "arguments": dict(c.arguments)} for _, c in parts]
        return [_user(said), {"role": "assistant", "tool_calls": calls}]

    def _missing(self, language: Language) -> list[dict[str, Any]]:
        lines = slots.lines(WORDS / f"missing.{language}.txt")
        asks = [r.text for r in self.replies if r.when.startswith("ask:") and _in(r.text, language)]
        said = self.around(self.rng.choice(lines), language)
        messages = [_user(said), _says(self.rng.choice(asks))]
        if self.rng.random() < 0.5:
            number = self._id(self.tool, "tracking_no")
            frame = self.rng.choice(
                ("{}", "是 {}", "单号 {}", "{} 这个")
                if language == "zh"
                else ("{}", "it's {}", "number {}")
            )
            call = self.call(TOOL, {"tracking_no": number.value, **_tail(said)})
            messages += [_user(frame.format(number.said)), _call(call)]
        return messages

    def _none(self, language: Language) -> list[dict[str, Any]]:
        line = self.rng.choice(slots.lines(WORDS / f"none.{language}.txt"))
        text, _, reply = line.partition("=>")
        said = self.fill(text.strip(), language, self.tool).text
        return [_user(self._spelt(said)), _says(reply.strip())]

    def _order(self, language: Language) -> list[dict[str, Any]]:
        """Parcels asked for by an order's number are the old tool's."""
        text, call = self.request("get_order_status", language)
        return [_user(self.around(text, language)), _call(call)]

    def _answered(self, arguments: Any, language: Language) -> list[dict[str, Any]]:
        raw = asyncio.run(self.system(ctx=None, **arguments))
        result = derive(self.tool, raw, arguments, language, date(2025, 4, 3))
        fields = fields_of(self.tool, result)
        fitting = [
            text
            for r in self.replies
            if r.tool == TOOL and _in(r.text, language) and holds(r.when, fields)
            if (text := filled(r.text, fields)) is not None
        ]
        if not fitting:
            raise BadPhrasing(f"no reply to {raw['stage']}")
        view = model_view(self.tool, result, concise=True)
        return [
            {"role": "tool", "name": TOOL, "content": dumps(view)},
            _says(self.rng.choice(fitting)),
        ]

    def _spelt(self, text: str) -> str:
        """Now and then the number as people break it up."""
        if self.rng.random() < 0.15:
            return DIGITS.sub(self.rng.choice((r"\1 ", r"\1-")), text)
        return text


def filtered(
    made: Iterator[dict[str, Any]], tools: dict[str, Any], refused: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Without what repeats, what the product would not offer the tool for, and what asks for a value
    that the message does not hold."""
    seen: Counter[str] = Counter()
    chooser = ToolChooser(tools.values())
    for sample in made:
        said = [m["content"] for m in sample["messages"] if m["role"] == "user"]
        shape = re.sub(r"\d+", "0", " / ".join(said)).casefold()
        seen[shape] += 1
        if seen[shape] > ALIKE:
            refused["repeats"] += 1
            continue
        calls = [c for m in sample["messages"] for c in m.get("tool_calls", ())]
        role = sample["role"]
        offered = chooser.choose(
            Request(said[-1], before=tuple(said[-2::-1])),
            lambda t, role=role: role in t.roles,
            OFFERED,
            narrow=True,
        ).offered
        if not {c["name"] for c in calls} <= {t.name for t in offered}:
            refused["not offered"] += 1
            continue
        if not all(_grounded(tools[c["name"]], c["arguments"], said) for c in calls):
            refused["not grounded"] += 1
            continue
        yield sample


def common(
    samples: list[dict[str, Any]], tools: dict[str, Any], refused: Counter[str]
) -> list[dict[str, Any]]:
    """Those whose list of offered tools is that of several others: it is read once for all of them, and
    the minutes are few."""
    chooser = ToolChooser(tools.values())

    def offered(sample: dict[str, Any]) -> tuple[str, ...]:
        said, role = sample["messages"][0]["content"], sample["role"]
        found = chooser.choose(Request(said), lambda t: role in t.roles, OFFERED, narrow=True)
        return (sample["language"], *(t.name for t in found.offered))

    lists = [offered(s) for s in samples]
    times = Counter(lists)
    kept = [s for s, names in zip(samples, lists, strict=True) if times[names] >= COMMON]
    refused["rare list of tools"] += len(samples) - len(kept)
    return kept


def _grounded(tool: Any, arguments: dict[str, Any], said: list[str]) -> bool:
    evidence = Evidence(date(2025, 4, 3))
    for text in said:
        evidence.said(text)
    held = offer(tool, evidence, "zh", copies=True, concise=True).candidates
    return all(
        str(arguments[p.name]) in held[p.name]
        for p in tool.parameters
        if p.grounded and p.name in arguments
    )


def endless(maker: Parcels) -> Iterator[dict[str, Any]]:
    number = 0
    while True:
        try:
            yield maker.sample(number)
            number += 1
        except BadPhrasing:
            continue


def beside(samples: Iterator[dict[str, Any]], seed: int) -> Iterator[dict[str, Any]]:
    """Samples of old tools, the new one in some of their lists: it is not to be called for them."""
    for sample in samples:
        tools = sample["tools"]
        if len(tools) < OFFERED and random.Random(f"{seed}{tools}").random() < BESIDE:
            tools = [*tools, TOOL]
        yield sample | {"tools": tools}


def make(folder: Path, data: Path, count: int, replay: int, seed: int) -> dict[str, Any]:
    """The dataset ``parcels@1``: ``count`` samples of the new tool and ``replay`` of old ones."""
    maker, refused = Parcels(folder, seed), Counter[str]()
    candidates = list(islice(filtered(endless(maker), maker.tools, refused), 2 * count))
    fresh = common(candidates, maker.tools, refused)
    refused["more than asked for"] = max(0, len(fresh) - count)
    fresh = fresh[:count]
    old = list(islice(beside(generate.samples(seed + 1000), seed), replay))
    into = data / "datasets" / "parcels" / "1"
    into.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    rng.shuffle(fresh)
    rng.shuffle(old)
    held_new, held_old = len(fresh) // 10, len(old) // 20
    parts = {
        "train": [*fresh[held_new:], *old[held_old:]],
        "validation": [*fresh[:held_new], *old[:held_old]],
    }
    for name, part in parts.items():
        rng.shuffle(part)
        lines = "".join(json.dumps(s, ensure_ascii=False) + "\n" for s in part)
        (into / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    shutil.copyfile(WORDS / "replies.json", into / "replies.json")
    made = {
        "format": 1,
        "name": "parcels",
        "version": 1,
        "made": "",
        "dazi": "0.1.0",
        "recipe": {"count": count, "replay": replay, "seed": seed},
        "sources": [],
        "stages": [
            {
                "name": "phrasings",
                "in": len(fresh) + refused.total(),
                "out": count,
                "refused": dict(refused),
            }
        ],
        "splits": {name: len(part) for name, part in parts.items()},
        "sha256": {},
        "withdrawn": None,
        "parents": [],
    }
    (into / "manifest.json").write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n")
    return made


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("bench_parcels", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _says(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _call(call: Any) -> dict[str, Any]:
    told = {"name": call.name, "arguments": dict(call.arguments)}
    return {"role": "assistant", "tool_calls": [told]}


def _tail(said: str) -> dict[str, str]:
    found = re.search(r"(?<!\d)(\d{4})(?!\d)", said)
    return {"phone_tail": found[1]} if found else {}


def _in(text: str, language: Language) -> bool:
    return bool(re.search("[\u4e00-\u9fff]", text)) == (language == "zh")

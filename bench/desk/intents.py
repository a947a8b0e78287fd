"""How well service intents are recognised, on messages that nothing was tuned on.

    PYTHONPATH=src:. python -m bench.desk.intents [--errors]

Messages are in ``messages/held_out.LANGUAGE.txt``, grouped by the voice of who writes: no voice of
the training is among them. Rejection is measured on requests from elsewhere (function-calling and arithmetic
questions), where they are: a folder named by ``DAZI_EVALDATA``, read and not kept.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.apps.desk.intents.kinds import INTENTS, OTHER
from dazi.apps.desk.intents.recogniser import recogniser

HERE = Path(__file__).parent / "messages"


@dataclass(frozen=True, slots=True)
class Labelled:
    language: str
    voice: str
    intent: str
    text: str


def messages() -> Iterator[Labelled]:
    for path in sorted(HERE.glob("held_out.*.txt")):
        language, voice = path.suffixes[-2][1:], ""
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("## "):
                voice = line[3:]
            elif line and not line.startswith("#"):
                intent, text = line.split("\t")
                assert intent in INTENTS, intent
                yield Labelled(language, voice, intent, text)


def measured(found: list[Labelled]) -> dict[str, Any]:
    know = recogniser()
    pairs = [(m, know.recognise(m.text).name) for m in found]
    scores = {i: _f1([(m.intent, got) for m, got in pairs], i) for i in INTENTS}
    in_scope = [(m, got) for m, got in pairs if m.intent != OTHER]
    other = [(m, got) for m, got in pairs if m.intent == OTHER]
    return {
        "messages": len(pairs),
        "voices": len({m.voice for m in found}),
        "accuracy": _right(pairs),
        "macro_f1": round(sum(s["f1"] for s in scores.values()) / len(scores), 3),
        "by_language": {
            lang: _right([p for p in pairs if p[0].language == lang]) for lang in ("zh", "en")
        },
        "wanted_and_right": _right(in_scope),
        "wanted_but_taken_for_other": _share(in_scope, OTHER),
        "other_rejected": _share(other, OTHER),
        "intents": scores,
        "voices_accuracy": {
            v: _right([p for p in pairs if p[0].voice == v])
            for v in dict.fromkeys(m.voice for m in found)
        },
    }


def _right(pairs: list[tuple[Labelled, str]]) -> float:
    return round(sum(m.intent == got for m, got in pairs) / max(len(pairs), 1), 3)


def _share(pairs: list[tuple[Labelled, str]], name: str) -> float:
    return round(sum(got == name for _, got in pairs) / max(len(pairs), 1), 3)


def _f1(pairs: list[tuple[str, str]], name: str) -> dict[str, Any]:
    hits = sum(a == b == name for a, b in pairs)
    said, true = sum(b == name for _, b in pairs), sum(a == name for a, _ in pairs)
    f1 = 2 * hits / (said + true) if said + true else 0.0
    return {
        "messages": true,
        "precision": round(hits / said, 3) if said else 0.0,
        "recall": round(hits / true, 3) if true else 0.0,
        "f1": round(f1, 3),
    }


def elsewhere(folder: Path) -> dict[str, Any]:
    """How much of what is nothing for the desk is rejected, by source."""
    know = recogniser()
    out: dict[str, Any] = {}
    for name, texts in _foreign(folder):
        got = Counter(know.recognise(t).name for t in texts)
        share = round(got[OTHER] / len(texts), 3)
        out[name] = {"messages": len(texts), "rejected": share, "most": dict(got.most_common(4))}
    return out


def _foreign(folder: Path) -> Iterator[tuple[str, list[str]]]:
    gsm = folder / "gsm8k" / "test.jsonl"
    if gsm.is_file():
        lines = gsm.read_text("utf-8").splitlines()
        yield "gsm8k: arithmetic questions", [json.loads(line)["question"] for line in lines]
    for file in ("BFCL_v4_irrelevance.json", "BFCL_v4_live_irrelevance.json"):
        path = folder / "bfcl" / file
        if path.is_file():
            rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
            texts = [q[0][-1]["content"] for r in rows if (q := r.get("question")) and q[0]]
            yield f"bfcl: {file.removesuffix('.json')}", texts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--errors", action="store_true")
    given = parser.parse_args()
    found = list(messages())
    print(json.dumps(measured(found), ensure_ascii=False, indent=1))
    folder = os.environ.get("DAZI_EVALDATA", "")
    if folder:
        print(json.dumps(elsewhere(Path(folder)), ensure_ascii=False, indent=1))
    if given.errors:
        wrong: defaultdict[str, list[str]] = defaultdict(list)
        for m in found:
            got = recogniser().recognise(m.text)
            if got.name != m.intent:
                wrong[m.intent].append(f"{got.name} {got.best[0][1]:.2f}: {m.text}")
        for intent, lines in wrong.items():
            print(intent, *lines, sep="\n   ")


if __name__ == "__main__":
    main()

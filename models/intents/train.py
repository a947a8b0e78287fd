"""Trains the recogniser of service intents from the phrases and messages beside this file.

    PYTHONPATH=src:. python models/intents/train.py

The regularisation and both thresholds are chosen by cross-validation over voices;
the held-out ones of ``bench/desk`` are never read here.
"""

from __future__ import annotations

import argparse
import math
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from dazi.apps.desk.intents.features import CONCEPT, features
from dazi.apps.desk.intents.kinds import INTENTS, OTHER
from dazi.apps.desk.intents.recogniser import WEIGHTS

HERE = Path(__file__).parent
FOLDS = 3
TRIED = ((5.0, 0.0), (5.0, 0.5))
"""Regularisation, and the share of copies without concepts."""
FIRST_LATE = ("a night guard, sober", "a nurse between shifts")
"""From these voices on messages were written after the synonyms: only they tell how well others will
be understood."""
LEAST = 2
"""In so many phrases a part must occur."""
SLOTS = {
    "zh": {
        "{o}": ["ORD12345", "ORD30021", "20261102001", "ORD99810"],
        "{p}": ["手机", "耳机", "键盘", "投影仪", "打印机", "手表", "平板", "电饭煲", "衣服", "鞋子"],
        "{t}": ["三天", "一周", "半个月", "两天", "十天", "昨天"],
    },
    "en": {
        "{o}": ["ORD12345", "ORD30021", "#20261102001", "ORD99810"],
        "{p}": ["phone", "headphones", "keyboard", "projector", "printer", "watch", "tablet", "jacket"],
        "{t}": ["three days", "a week", "two weeks", "ten days", "a month"],
    },
}  # fmt: skip
BEFORE = {
    "zh": ["你好,", "请问", "麻烦问一下,", "亲,", "那个,", "客服你好,", "您好,我想问下"],
    "en": ["hi, ", "hello, ", "please, ", "excuse me, ", "hey there, ", "quick question: "],
}
AFTER = {
    "zh": ["谢谢", ",急", "啊", ",在线等", "呢", ",麻烦了"],
    "en": [" thanks", " please", "??", " asap", ", thank you", " pls"],
}
"""Courtesies around a phrase, so that they come to mean nothing."""


@dataclass(frozen=True, slots=True)
class Phrase:
    language: str
    intent: str
    text: str
    voice: str = ""
    late: bool = False
    """Written after the synonyms, which then knew nothing of it."""


def phrases(language: str) -> list[Phrase]:
    out: list[Phrase] = []
    intent = voice = ""
    late = False
    for line in (HERE / f"phrases.{language}.txt").read_text("utf-8").splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            intent = match[1]
            assert intent in INTENTS, intent
        elif line and not line.startswith("#"):
            out.append(Phrase(language, intent, line))
    for line in (HERE / f"messages.{language}.txt").read_text("utf-8").splitlines():
        if line.startswith("## "):
            voice = f"{language}: {line[3:]}"
            late = late or line[3:] in FIRST_LATE
        elif line and not line.startswith("#"):
            intent, text = line.split("\t")
            assert intent in INTENTS, intent
            out.append(Phrase(language, intent, text, voice, late))
    return out


def copies(text: str, language: str, rng: random.Random, *, plain: bool) -> list[str]:
    """The phrase with its slots filled, and so with courtesies around it."""

    def filled() -> str:
        out = text
        for slot, values in SLOTS[language].items():
            out = out.replace(slot, rng.choice(values))
        return out

    if plain:
        return [filled()]
    before, after = rng.choice(BEFORE[language]), rng.choice(AFTER[language])
    return [filled(), before + filled() + after]


class Space:
    """The parts that occur in more than one phrase, and how telling each is."""

    def __init__(self, texts: list[str]) -> None:
        seen: Counter[str] = Counter()
        for text in texts:
            seen.update(set(features(text)))
        self.words = sorted(w for w, n in seen.items() if n >= LEAST)
        self.places = {w: i for i, w in enumerate(self.words)}
        many = len(texts)
        idf = [math.log((1 + many) / (1 + seen[w])) + 1 for w in self.words]
        self.idf = np.array(idf, dtype=np.float16).astype(np.float32)

    def matrix(self, texts: list[str], without: frozenset[int] = frozenset()) -> csr_matrix:
        """``without``: the texts whose concepts are left out."""
        rows, columns, values = [], [], []
        for r, text in enumerate(texts):
            found = [(f, n) for f, n in features(text).items() if f in self.places]
            if r in without:
                found = [(f, n) for f, n in found if not f.startswith(CONCEPT)]
            v = np.array([self.idf[self.places[f]] * (1 + math.log(n)) for f, n in found])
            rows += [r] * len(found)
            columns += [self.places[f] for f, _ in found]
            values += list(v / (np.linalg.norm(v) or 1.0))
        return csr_matrix((values, (rows, columns)), shape=(len(texts), len(self.words)))

    def known(self, text: str) -> float:
        found = features(text)
        return sum(f in self.places for f in found) / max(len(found), 1)


def fit(pairs: list[Phrase], c: float, drop: float, seed: int) -> tuple[Space, Any]:
    """``drop``: the share of copies that are shown without their concepts, so that words are learnt
    as well: the synonyms know the training messages better than others."""
    rng = random.Random(seed)
    texts, intents = [], []
    for p in pairs:
        for text in copies(p.text, p.language, rng, plain=p.intent == "greeting"):
            texts.append(text)
            intents.append(p.intent)
    space = Space(texts)
    without = frozenset(i for i in range(len(texts)) if rng.random() < drop)
    model = LogisticRegression(C=c, max_iter=150, class_weight="balanced")
    model.fit(space.matrix(texts, without), intents)
    return space, model


def validated(pairs: list[Phrase], c: float, drop: float) -> tuple[Any, ...]:
    """Of messages whose voices were left out, by fold: truth, best intent, its probability, known
    share. Phrases have no voice and are always inside."""
    rows: list[tuple[str, str, float, float]] = []
    voices = sorted({p.voice for p in pairs if p.voice and p.late})
    for fold in range(FOLDS):
        left = set(voices[fold::FOLDS])
        inside = [p for p in pairs if p.voice not in left]
        outside = [p for p in pairs if p.voice in left]
        space, model = fit(inside, c, drop, fold)
        rng = random.Random(fold)
        texts = [copies(p.text, p.language, rng, plain=True)[0] for p in outside]
        probabilities = model.predict_proba(space.matrix(texts))
        for one, text, row in zip(outside, texts, probabilities, strict=True):
            best = int(row.argmax())
            rows.append((one.intent, model.classes_[best], float(row[best]), space.known(text)))
    return tuple(rows)


def accuracy(rows: tuple[Any, ...], sure: float, known: float) -> float:
    return sum(
        truth == (best if p >= sure and k >= known else OTHER) for truth, best, p, k in rows
    ) / len(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    given = parser.parse_args()
    pairs = [p for lang in ("zh", "en") for p in phrases(lang)]
    print(f"{len(pairs)} phrases and messages")
    tried = []
    for c, drop in TRIED:
        rows = validated(pairs, c, drop)
        best = max(
            (accuracy(rows, s / 100, k / 100), -s, -k)
            for s in range(10, 50, 2)
            for k in range(0, 45, 5)
        )
        tried.append((best[0], c, drop, -best[1] / 100, -best[2] / 100))
        print(f"C {c}, dropped {drop}: {best[0]:.3f} from {-best[1]} % and {-best[2]} % known")
    _, c, drop, sure, known = max(tried)
    space, model = fit(pairs, c, drop, 7)
    weights = model.coef_.T
    scale = np.abs(weights).max(axis=0) / 127
    np.savez_compressed(
        given.out,
        words=np.frombuffer("\n".join(space.words).encode(), dtype=np.uint8),
        names=np.frombuffer("\n".join(model.classes_).encode(), dtype=np.uint8),
        weights=np.round(weights / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        bias=model.intercept_.astype(np.float32),
        idf=space.idf.astype(np.float16),
        sure_from=np.float32(sure),
        known_from=np.float32(known),
    )
    size = given.out.stat().st_size
    print(f"C {c}, dropped {drop}, sure from {sure}, known from {known}: {len(space.words)} parts, "
          f"{size:,} bytes")  # fmt: skip


if __name__ == "__main__":
    main()

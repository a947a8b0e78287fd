"""Trains the recogniser of burdens in contracts from the sentences beside this file.

    PYTHONPATH=src:. python models/clauses/train.py

The regularisation and the threshold are chosen by cross-validation over hands: who wrote a sentence never
helps to judge another of the same hand.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from dazi.apps.contracts.risks.features import features
from dazi.apps.contracts.risks.recogniser import NONE, RISKS, WEIGHTS

HERE = Path(__file__).parent
TRIED = (30.0,)
LEAST = 2
"""In so many sentences a part must occur."""
FALSE = 0.01
"""The share of harmless sentences that may be taken for a burden, in the hands left out."""


@dataclass(frozen=True, slots=True)
class Sentence:
    language: str
    hand: str
    name: str
    text: str


def read() -> list[Sentence]:
    out: list[Sentence] = []
    for file in sorted(HERE.glob("sentences.*.txt")):
        _, language, hand, _ = file.name.split(".")
        for line in file.read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                name, text = line.split("\t")
                assert name in (*RISKS, NONE), (file.name, name)
                out.append(Sentence(language, hand, name, text))
    return out


class Space:
    """The parts that occur in more than one sentence, and how telling each is."""

    def __init__(self, texts: list[str]) -> None:
        seen: Counter[str] = Counter()
        for text in texts:
            seen.update(set(features(text)))
        self.words = sorted(w for w, n in seen.items() if n >= LEAST)
        self.places = {w: i for i, w in enumerate(self.words)}
        many = len(texts)
        idf = [math.log((1 + many) / (1 + seen[w])) + 1 for w in self.words]
        self.idf = np.array(idf, dtype=np.float16).astype(np.float32)

    def matrix(self, texts: list[str]) -> csr_matrix:
        rows, columns, values = [], [], []
        for r, text in enumerate(texts):
            found = [(f, n) for f, n in features(text).items() if f in self.places]
            v = np.array([self.idf[self.places[f]] * (1 + math.log(n)) for f, n in found])
            rows += [r] * len(found)
            columns += [self.places[f] for f, _ in found]
            values += list(v / (np.linalg.norm(v) or 1.0))
        return csr_matrix((values, (rows, columns)), shape=(len(texts), len(self.words)))


def fit(sentences: list[Sentence], c: float) -> tuple[Space, Any]:
    space = Space([s.text for s in sentences])
    model = LogisticRegression(C=c, max_iter=200)
    model.fit(space.matrix([s.text for s in sentences]), [s.name for s in sentences])
    return space, model


def validated(sentences: list[Sentence], c: float) -> list[tuple[str, str, float]]:
    """Of each sentence of a hand that was left out: truth, best name, its probability."""
    rows: list[tuple[str, str, float]] = []
    for hand in sorted({s.hand for s in sentences}):
        space, model = fit([s for s in sentences if s.hand != hand], c)
        left = [s for s in sentences if s.hand == hand]
        for one, row in zip(
            left, model.predict_proba(space.matrix([s.text for s in left])), strict=True
        ):
            best = int(row.argmax())
            rows.append((one.name, str(model.classes_[best]), float(row[best])))
    return rows


def judged(rows: list[tuple[str, str, float]], sure: float) -> tuple[float, float, float]:
    """Recall of burdens (whatever their name), of their names, and the share of harmless ones taken for one."""
    told = [(truth, name if p >= sure else NONE) for truth, name, p in rows]
    burdens = [t for t in told if t[0] != NONE]
    harmless = [t for t in told if t[0] == NONE]
    return (
        sum(name != NONE for _, name in burdens) / len(burdens),
        sum(truth == name for truth, name in burdens) / len(burdens),
        sum(name != NONE for _, name in harmless) / len(harmless),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    given = parser.parse_args()
    sentences = read()
    print(f"{len(sentences)} sentences, {sum(s.name == NONE for s in sentences)} of them harmless")
    best: tuple[float, float, float] | None = None
    for c in TRIED:
        rows = validated(sentences, c)
        for sure in np.arange(0.2, 0.99, 0.01):
            recall, named, false = judged(rows, float(sure))
            if false <= FALSE:
                print(
                    f"C {c}: from {sure:.2f}: recall {recall:.3f}, by name {named:.3f}, false {false:.4f}"
                )
                if best is None or named > best[0]:
                    best = named, c, float(sure)
                break
    assert best is not None
    _, c, sure = best
    space, model = fit(sentences, c)
    weights = model.coef_.T
    kept = np.abs(weights).max(axis=1) > np.abs(weights).max() / 60
    words = [w for w, k in zip(space.words, kept, strict=True) if k]
    weights, idf = weights[kept], space.idf[kept]
    scale = np.abs(weights).max(axis=0) / 127
    np.savez_compressed(
        given.out,
        words=np.frombuffer("\n".join(words).encode(), dtype=np.uint8),
        names=np.frombuffer("\n".join(model.classes_).encode(), dtype=np.uint8),
        weights=np.round(weights / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        bias=model.intercept_.astype(np.float32),
        idf=idf.astype(np.float16),
        sure_from=np.float32(sure),
        known_from=np.float32(0),
    )
    size = given.out.stat().st_size
    print(f"C {c}, sure from {sure:.2f}: {len(words)} parts, {size:,} bytes")


if __name__ == "__main__":
    main()

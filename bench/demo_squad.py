"""The demo company's documents and questions in SQuAD's form, for ``dazi knowledge eval``.

    .venv/bin/python bench/demo_squad.py en > demo-en.json

A passage is a chunk of a document's Markdown source; a question's passage is the first that holds the
sentence of its answer. Questions whose sentence stands in no chunk whole are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from dazi.knowledge.blocks import Block
from dazi.knowledge.chunks import Chunk, Chunker

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "yunshan" / "knowledge"


def blocks(source: str) -> Iterator[Block]:
    for line in source.split("---", 2)[2].splitlines():
        if line.startswith("#"):
            yield Block("heading", line.lstrip("# "), level=len(line) - len(line.lstrip("#")))
        elif line.strip():
            yield Block("text", line)


def chunked(source: str) -> Iterator[Chunk]:
    chunker = Chunker()
    for block in blocks(source):
        yield from chunker.add(block)
    yield from chunker.close()


def plain(text: str) -> str:
    return "".join(text.split())


def asked(language: str) -> Iterator[tuple[str, str, str]]:
    for line in (FOLDER / "questions.jsonl").read_text("utf-8").splitlines():
        q = json.loads(line)
        if q["language"] == language and q.get("sentence"):
            yield q["document"], plain(q["sentence"]), q["question"]


def article(path: Path, questions: list[tuple[str, str, str]]) -> dict[str, object]:
    chunks = list(chunked(path.read_text("utf-8")))
    asked_of: dict[int, list[str]] = {}
    for document, sentence, question in questions:
        places = [c.ordinal for c in chunks if sentence in plain(c.text)]
        if document == path.stem and places:
            asked_of.setdefault(places[0], []).append(question)
    passages = [
        {"context": c.text, "qas": [{"question": q} for q in asked_of.get(c.ordinal, ())]}
        for c in chunks
    ]
    return {"title": " ".join(chunks[0].path[:1]) if chunks else "", "paragraphs": passages}


if __name__ == "__main__":
    language = sys.argv[1]
    english = language == "en"
    paths = [p for p in sorted(FOLDER.rglob("*.md")) if p.stem.endswith(".en") == english]
    questions = list(asked(language))
    json.dump({"data": [article(p, questions) for p in paths]}, sys.stdout, ensure_ascii=False)

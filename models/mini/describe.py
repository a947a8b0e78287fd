"""What Dazi should know of the exported model, written beside it as ``dazi_model.json``.

The ``wording`` is every pair of hanzi and every word of the replies that the model is trained on:
the product lets it say nothing else but values.

    python models/mini/describe.py --to DIR
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "src")]

import generate  # noqa: E402

from dazi.agent.wording import pieces  # noqa: E402

CONTEXT_TOKENS = 4096
OFFERED_TOOLS = 5


def wording() -> list[str]:
    """From every reply of the phrasings, their slots cut out."""
    maker = generate.Maker(0)
    out: set[str] = set()
    for language in generate.LANGUAGES:
        files = maker.files[language]
        replies = [text for lines in files["answers"].values() for _, text in lines]
        replies += [question for lines in files["ask"].values() for question in lines]
        for talk in ("no_tool", "acks", "cancels"):
            replies += [line.partition("=>")[2] for line in files[talk]]
        replies += generate.UNFIT[language]
        for reply in replies:
            plain = unicodedata.normalize("NFKC", re.sub(r"\{[\w.]+\}", "\n", reply))
            out |= pieces(plain)
    for tool in maker.tools.values():
        for values in tool.result.values.values():
            for text in values.values():
                out |= pieces(text.zh) | pieces(text.en)
    return sorted(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, required=True)
    folder = parser.parse_args().to
    profile = {
        "name": "dazi-mini",
        "context_tokens": CONTEXT_TOKENS,
        "offered_tools": OFFERED_TOOLS,
        "copies_text": True,
        "concise": True,
        "bundled": True,
        "thinks": False,
        "wording": wording(),
    }
    text = json.dumps(profile, ensure_ascii=False, separators=(",", ":"))
    (folder / "dazi_model.json").write_text(text + "\n", encoding="utf-8")
    print(f"{folder / 'dazi_model.json'}: {len(profile['wording'])} pieces of wording")


if __name__ == "__main__":
    main()

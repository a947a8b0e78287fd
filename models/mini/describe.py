"""What Dazi should know of the exported model, written beside it as ``dazi_model.json``.

Its ``replies`` are all that the model was taught to say, with slots: the product lets it say nothing else, and only
with this turn's values in their places.

    python models/mini/describe.py --to DIR
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "src")]

import generate  # noqa: E402

from dazi.agent.asked import ASKS  # noqa: E402
from dazi.core.engine import TaughtReply  # noqa: E402

CONTEXT_TOKENS = 4096
OFFERED_TOOLS = 5
CALL_CONFIDENCE = 0.7
"""Where dev and dev2 keep nine of ten calls and lose most of the false ones (docs/decisions/0010)."""


def replies() -> list[list[str]]:
    """Everything that conversations teach to say, as ``[tool, when, text]``."""
    maker = generate.Maker(0)
    out: dict[TaughtReply, None] = {}
    for language in generate.LANGUAGES:
        files = maker.files[language]
        for slot, questions in files["ask"].items():
            out |= {TaughtReply("", f"{ASKS}{slot}", question): None for question in questions}
        said = []
        for talk in ("no_tool", "acks", "cancels"):
            said += [line.partition("=>")[2].strip() for line in files[talk]]
        said += [r.text for r in files["answers"]["errors"]]
        said += generate.UNFIT[language]
        out |= {TaughtReply("", "", text): None for text in said if text}
        for name in maker.tools:
            out |= dict.fromkeys(files["answers"][name])
    return [list(reply) for reply in out]


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
        "call_confidence": CALL_CONFIDENCE,
        "replies": replies(),
    }
    text = json.dumps(profile, ensure_ascii=False, separators=(",", ":"))
    (folder / "dazi_model.json").write_text(text + "\n", encoding="utf-8")
    print(f"{folder / 'dazi_model.json'}: {len(profile['replies'])} replies")


if __name__ == "__main__":
    main()

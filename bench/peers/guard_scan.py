"""Other libraries over the guard's texts: processor seconds of each, as one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

SIX = {
    "RESIDENT_ID": r"(?<!\d)\d{17}[\dXx](?!\d)",
    "BANK_CARD": r"(?<!\d)\d{15,19}(?!\d)",
    "MOBILE": r"(?<!\d)1[3-9]\d{9}(?!\d)",
    "EMAIL": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    "USCC": r"(?<![0-9A-Z])[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Z])",
    "PLATE": r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Z][A-HJ-NP-Z0-9]{5,6}",
}


def presidio() -> Callable[[str], object]:
    """Pattern recognisers alone: no language model, no check digits, no labels."""
    from presidio_analyzer import Pattern, PatternRecognizer

    recognisers = [
        (name, PatternRecognizer(supported_entity=name, patterns=[Pattern(name, regex, 0.5)]))
        for name, regex in SIX.items()
    ]
    return lambda text: [r.analyze(text, [name], None) for name, r in recognisers]


def pyahocorasick(words: list[str]) -> Callable[[str], object]:
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for word in words:
        automaton.add_word(word, word)
    automaton.make_automaton()
    return lambda text: list(automaton.iter(text))


def main() -> None:
    given = json.load(sys.stdin)
    found: dict[str, float] = {}
    sides: dict[str, Callable[[str], object]] = {
        "presidio": presidio(), "pyahocorasick": pyahocorasick(given["words"]),
    }  # fmt: skip
    for side, scan in sides.items():
        for name, texts in given[side].items():
            scan(texts[0])
            began = time.process_time()
            for text in texts:
                scan(text)
            found[f"{side} {name}"] = time.process_time() - began
    print(json.dumps(found))


if __name__ == "__main__":
    main()

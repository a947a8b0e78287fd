"""A scorecard as one HTML file that needs nothing else. Weights are moved on the page; without a script, those of
the file stand there."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape

from dazi.core.language import Language, Text
from dazi.lab.scorecard import wording as w
from dazi.lab.scorecard.declared import DIMENSIONS
from dazi.lab.scorecard.evidence import Compliant
from dazi.lab.scorecard.scoring import Candidate, Scorecard

WIDTH, ROW = 640, 26
COLOUR = "#2f6fb2"
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  color: #1d2129; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.statement { border-left: 4px solid #8a6d1a; background: #fbf7ea; padding: .6rem 1rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border-top: 1px solid #d9dde3; padding: .4rem .5rem; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bad { color: #b3261e; font-weight: 600; } .note { color: #57606a; }
label { display: inline-flex; gap: .5rem; align-items: center; margin-right: 1.5rem; }
svg { max-width: 100%; height: auto; } li { overflow-wrap: anywhere; }
@media print { .weights { display: none; } body { margin: 0; max-width: none; font-size: 11px; } }
"""
_SCRIPT = """
const data = JSON.parse(document.getElementById('data').textContent);
const inputs = [...document.querySelectorAll('.weights input')];
function reckon() {
  const weights = inputs.map(i => Number(i.value));
  const total = weights.reduce((a, b) => a + b, 0);
  inputs.forEach(i => { i.nextElementSibling.textContent = +(+i.value).toFixed(1); });
  data.forEach((scores, n) => {
    const known = scores.every((s, k) => s !== null || !weights[k]);
    const sum = total && known ? scores.reduce((a, s, k) => a + (s || 0) * weights[k], 0) / total : null;
    document.getElementById('overall-' + n).textContent = sum === null ? '\\u2014' : (sum * 100).toFixed(1);
    document.getElementById('bar-' + n).setAttribute('width', sum === null ? 0 : sum * data.width);
  });
}
data.width = WIDTH;
inputs.forEach(i => i.addEventListener('input', reckon));
document.querySelector('.weights').hidden = false;
""".replace("WIDTH", str(WIDTH - 260))


def html(s: Scorecard, language: Language) -> str:
    title = escape(Text.of(s.card.title)(language))
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return "\n".join(
        (
            "<!doctype html>",
            f'<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1><p>{escape(s.made)}</p>",
            f'<p class="statement">{escape(w.STATEMENT(language))}</p>',
            *_weights(s, language),
            *_bars(s, language),
            *_scores(s, language),
            *_metrics(s, language),
            *(line for c in s.candidates for line in _evidence(c, language)),
            f'<script type="application/json" id="data">{_data(s)}</script>',
            f"<script>{_SCRIPT}</script></body></html>\n",
        )
    )


def _data(s: Scorecard) -> str:
    rows = [
        [c.scores[d].value if d in c.scores else None for d in DIMENSIONS] for c in s.candidates
    ]
    return json.dumps(rows)


def _weights(s: Scorecard, language: Language) -> Iterator[str]:
    yield f'<form class="weights" hidden><fieldset><legend>{escape(w.WEIGHT(language))}</legend>'
    for d in DIMENSIONS:
        value = f"{s.card.weights.of(d):g}"
        most = f"{max(100.0, *(s.card.weights.of(x) for x in DIMENSIONS)):g}"
        yield (
            f'<label>{escape(w.NAMES[d](language))}<input type="range" min="0" '
            f'max="{most}" step="any" value="{value}">'
            f"<output>{value}</output></label>"
        )
    yield "</fieldset></form>"


def _bars(s: Scorecard, language: Language) -> Iterator[str]:
    height = ROW * len(s.candidates) + 6
    said = "; ".join(f"{c.name}: {w.number(c.overall)}" for c in s.candidates)
    yield f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">'
    yield f"<title>{escape(w.OVERALL(language))}. {escape(said)}</title>"
    for n, c in enumerate(s.candidates):
        y = n * ROW + 4
        long = c.overall.value * (WIDTH - 260) if c.overall else 0
        name = c.name if len(c.name) <= 20 else c.name[:19] + "…"
        yield f'<text x="170" y="{y + 14}" text-anchor="end" font-size="13">{escape(name)}</text>'
        yield f'<rect id="bar-{n}" x="180" y="{y}" width="{long:.1f}" height="18" fill="{COLOUR}"/>'
    yield "</svg>"


def _scores(s: Scorecard, language: Language) -> Iterator[str]:
    heads = [w.CANDIDATE, w.OVERALL, *(w.NAMES[d] for d in DIMENSIONS), w.MUST]
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(
        f"<th{' class=n' if 0 < n < 5 else ''}>{escape(h(language))}</th>"
        for n, h in enumerate(heads)
    )
    yield "</tr></thead><tbody>"
    for n, c in enumerate(s.candidates):
        musts = "<br>".join(
            f'<span class="{"bad" if k.holds is False else "note"}">{escape(w.must(k, language))}</span>'
            for k in c.musts
        )
        cells = "".join(f'<td class="n">{w.number(c.scores.get(d))}</td>' for d in DIMENSIONS)
        yield (
            f'<tr><td>{escape(c.name)}</td><td class="n" id="overall-{n}">{w.number(c.overall)}</td>'
            f"{cells}<td>{musts}</td></tr>"
        )
    yield "</tbody></table></div>"
    for c in s.candidates:
        if told := w.lacking(c, language):
            yield f'<p class="note">{escape(c.name)}: {escape(told)}</p>'


def _metrics(s: Scorecard, language: Language) -> Iterator[str]:
    yield f"<h2>{escape(w.NAMES['capability'](language))}</h2>"
    yield '<div class="scroll"><table><thead><tr>'
    yield f"<th>{escape(w.METRIC(language))}</th><th class=n>{escape(w.WEIGHT(language))}</th>"
    yield "".join(f"<th class=n>{escape(c.name)}</th>" for c in s.candidates)
    yield "</tr></thead><tbody>"
    for m in s.card.capability:
        weight = f"{m.weight:g}" if m.key in s.counted else w.NONE
        cells = "".join(
            f'<td class="n">{w.measure(c.measured.get(m.key))}</td>' for c in s.candidates
        )
        yield f'<tr><td>{escape(w.label(m, language))}</td><td class="n">{weight}</td>{cells}</tr>'
    yield "</tbody></table></div>"
    for told in filter(None, (w.left_out(s, language), w.unlike(s, language))):
        yield f'<p class="note">{escape(told)}</p>'


def _failed(found: Compliant, language: Language) -> Iterator[str]:
    if found.failed:
        rows = (f"{f} {i} {Text.of(t)(language)}" for f, i, t in found.failed)
        yield f"<ul>{''.join(f'<li class=bad>{escape(row)}</li>' for row in rows)}</ul>"


def _evidence(c: Candidate, language: Language) -> Iterator[str]:
    yield f"<h2>{escape(c.name)}: {escape(w.EVIDENCE(language))}</h2><ul>"
    yield f"<li>{escape(w.NAMES['cost'](language))}: {escape(w.cost(c.cost, language))}"
    if c.cost:
        yield f'<br><span class="note">{escape(w.assumptions(c.cost, language))} ({c.cost.run})</span>'
    yield "</li>"
    yield f"<li>{escape(w.NAMES['compliance'](language))}: {escape(w.compliance(c.compliance, language))}"
    if c.compliance:
        yield f' <span class="note">({escape(c.compliance.path.name)}, {escape(c.compliance.at)})</span>'
        yield from _failed(c.compliance, language)
    yield "</li>"
    for r in c.runs:
        yield (
            f"<li>{escape(r.suite)}: <code>dazi eval report {escape(r.id)}</code> "
            f'<span class="note">{escape(r.model)} {escape(r.version)}, n = {r.done}, '
            f"{escape(r.data.name)} {escape(r.data.sha256[:12])}</span></li>"
        )
    yield "</ul>"

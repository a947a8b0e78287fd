"""The risk engine on made-up accounts with planted fraud, beside two usual baselines.

    .venv/bin/python bench/risk.py [worlds] [accounts] [first]

Trains on days 15 to 90 of each world, tests on the days after; the baselines see the same rows. A
pattern that is there only from day 90 on is learnt from 50 cases of days 90 to 120 and tested on
the rest. Prints means over the worlds with their standard deviations.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from bench.risk_world import CITIES, NEW_PATTERN, World, world
from bench.tables import Table
from dazi.apps.risk.assessing import Assessment, assess
from dazi.apps.risk.drift import drift
from dazi.apps.risk.events import Transaction
from dazi.apps.risk.features import CODES, CONTEXT, GROUPS, NAMES, Rules
from dazi.apps.risk.fewshot import Adaptation, Few, Labelled, adapt
from dazi.apps.risk.history import Histories, Seen, features_of
from dazi.apps.risk.model import Model
from dazi.apps.risk.quality import Quality, quality_of
from dazi.apps.risk.reasons import usual_of
from dazi.apps.risk.thresholds import Costs, Thresholds, cut
from dazi.apps.risk.training import train

WARM, TRAINED, LABELLED = 15, 90, 120
BUDGET, HELD = 0.005, 0.001
DRAWS, CASES, BACKGROUND = 5, 50, 10_000
COSTS = Costs(alert=2_000)
Figures = dict[str, dict[str, list[float]]]


@dataclass(frozen=True, slots=True)
class Data:
    """Of one world: rows in order, the truth (not what was reported), and which are of the new
    pattern."""

    world: World
    rows: np.ndarray
    days: np.ndarray
    fraud: np.ndarray
    reported: np.ndarray
    new: np.ndarray

    def between(self, begin: int, end: int) -> np.ndarray:
        return np.flatnonzero((self.days >= begin) & (self.days < end))


def data_of(accounts: int, seed: int) -> Data:
    made = world(accounts, seed=seed, new_from=TRAINED)
    all_of = made.transactions
    first = all_of[0].at
    return Data(
        made,
        features_of(all_of, Rules()),
        np.array([(t.at - first).days for t in all_of]),
        np.array([t.id in made.planted for t in all_of]),
        np.array([t.outcome == "fraud" for t in all_of]),
        np.array(
            [t.id in made.planted and made.planted[t.id].pattern == NEW_PATTERN for t in all_of]
        ),
    )


# --- against baselines --------------------------------------------------------------------------


def logistic() -> Any:
    """Logarithms and scaling: ratios and sums as they are would only hurt it."""
    return make_pipeline(
        FunctionTransformer(np.log1p), StandardScaler(), LogisticRegression(C=0.1, max_iter=2_000)
    )


def compare(d: Data, model: Model, figures: Figures) -> None:
    learnt, test = d.between(WARM, TRAINED), d.between(TRAINED, 10**6)
    test = test[~d.new[test]]
    forest = IsolationForest(n_estimators=200, random_state=7).fit(d.rows[learnt])
    line = logistic().fit(d.rows[learnt], d.reported[learnt])
    sides: dict[str, np.ndarray] = {
        "Dazi": model.margins(d.rows[test]),
        "logistic regression": line.decision_function(d.rows[test]),
        "isolation forest": -forest.score_samples(d.rows[test]),
        "the amount alone": d.rows[test, 0],
    }
    truth = d.fraud[test]
    for name, scores in sides.items():
        alerted = scores >= cut(scores, BUDGET)
        told = figures[name]
        told["AUC"].append(roc_auc_score(truth, scores))
        told["average precision"].append(average_precision_score(truth, scores))
        told["precision"].append(truth[alerted].mean())
        told["recall"].append(alerted[truth].mean())
    alerted = sides["Dazi"] >= cut(sides["Dazi"], BUDGET)
    for pattern in sorted({p.pattern for p in d.world.planted.values()} - {NEW_PATTERN}):
        of = [d.world.planted.get(d.world.transactions[i].id) for i in test]
        chosen = np.array([p is not None and p.pattern == pattern for p in of])
        figures["by pattern"][pattern].append(alerted[chosen].mean())


# --- few cases ------------------------------------------------------------------------------------


def few(d: Data, model: Model, seed: int, figures: Figures) -> None:
    rng = np.random.default_rng(seed)
    learnt, labelled, test = (
        d.between(WARM, TRAINED), d.between(TRAINED, LABELLED), d.between(LABELLED, 10**6),
    )  # fmt: skip
    accounts = np.array([t.account for t in d.world.transactions])
    found = labelled[d.new[labelled] & d.reported[labelled]]
    # Cleared cases are earlier alerts that came to nothing.
    genuine = labelled[~d.fraud[labelled]]
    cleared = genuine[np.argsort(-model.margins(d.rows[genuine]))][: CASES * 2]
    frauds = rng.choice(found, min(CASES // 2, len(found)), replace=False)
    cases = np.concatenate([frauds, rng.choice(cleared, CASES - len(frauds), replace=False)])
    ordinary = learnt[~d.reported[learnt]]
    back = np.concatenate(
        [rng.choice(ordinary, BACKGROUND, replace=False), learnt[d.reported[learnt]]]
    )
    background = Labelled(d.rows[back], d.reported[back], accounts[back].tolist())
    figures["asked"]["frauds among the cases"].append(len(frauds))
    before = model.margins(d.rows[test])
    for kind, labels in (
        ("cases as they are", d.reported[cases]),
        ("labels dealt out at random", rng.permutation(d.reported[cases])),
    ):
        given = Labelled(d.rows[cases], labels, accounts[cases].tolist())
        # Taken whatever it is worth, to see what a refusal refuses.
        adapted = adapt(model, given, background, NEW_PATTERN, Few(least=-1, lost=1))
        after = adapted.model.margins(d.rows[test])
        gain = recall(after, d.new[test]) - recall(before, d.new[test])
        taken = helps(adapted)
        told = figures[kind]
        told["taken"].append(taken)
        told["gain by its own trials"].append(adapted.gain)
        told["gain on later days, taken"] += [gain] * taken
        told["gain on later days, refused"] += [gain] * (not taken)
        if kind == "cases as they are" and taken:
            both = np.concatenate([cases, back])
            line = logistic().fit(d.rows[both], d.new[both] & d.reported[both])
            sides = {"before": before, "after 50 cases": after}
            sides["logistic on the cases alone"] = line.decision_function(d.rows[test])
            later(d, test, sides, figures)


def recall(scores: np.ndarray, chosen: np.ndarray) -> float:
    return float((scores >= cut(scores, BUDGET))[chosen].mean())


def helps(adapted: Adaptation) -> bool:
    """What ``adapt`` asks of its trials."""
    lost = np.median([t.known_before - t.known_after for t in adapted.trials])
    return adapted.gain >= Few().least and bool(lost <= Few().lost)


def later(d: Data, test: np.ndarray, sides: dict[str, np.ndarray], figures: Figures) -> None:
    new, known = d.new[test], d.fraud[test] & ~d.new[test]
    for name, scores in sides.items():
        told = figures[name]
        told["recall, new"].append(recall(scores, new))
        told["AP, new"].append(average_precision_score(new[~known], scores[~known]))
        told["recall, known"].append(recall(scores, known))
        told["recall, all"].append(recall(scores, d.fraud[test]))
        told["AP, all"].append(average_precision_score(d.fraud[test], scores))
        told["precision"].append(d.fraud[test][scores >= cut(scores, BUDGET)].mean())


# --- explanations ---------------------------------------------------------------------------------


def explain_alerts(d: Data, model: Model, figures: Figures) -> None:
    """Every alert of the test days, with the account's past as it was then."""
    test = d.between(TRAINED, 10**6)
    scores = model.scores(d.rows)
    review, hold = cut(scores[test], BUDGET), cut(scores[test], HELD)
    thresholds = Thresholds(review, max(hold, review))
    wanted = {d.world.transactions[i].id for i in test[scores[test] >= review]}
    histories, rng = Histories(), np.random.default_rng(7)
    habits: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for t in d.world.transactions:
        if t.id in wanted:
            began = time.process_time()
            seen = histories.look(t)
            told = assess(model, seen, thresholds)
            told.account("zh")
            figures["time"]["ms"].append((time.process_time() - began) * 1000)
            faithful(model, seen, told, thresholds, rng, figures["fidelity"])
            planted(d.world, told, figures["fidelity"])
            events(model, histories, told, habits[t.account], figures["events"])
            stable(model, histories, told, thresholds, figures["fidelity"])
        histories.add(t)
        for kind in ("device", "ip", "counterparty", "city"):
            if value := getattr(t, kind):
                counts = habits[t.account][kind]
                counts[value] = counts.get(value, 0) + 1


def faithful(
    model: Model,
    seen: Seen,
    told: Assessment,
    thresholds: Thresholds,
    rng: np.random.Generator,
    out: dict[str, list[float]],
) -> None:
    row, usual = np.array(seen.values), usual_of(model, seen)

    def margin(codes: Sequence[str]) -> float:
        changed = row.copy()
        for code in codes:
            changed[list(GROUPS[code])] = usual[list(GROUPS[code])]
        return float(model.margins(changed[None])[0])

    whole, codes = margin(()), told.codes
    out["reasons stated"].append(len(codes))
    out["alerts with a reason"].append(bool(codes))
    for reason in told.explanation.reasons:
        without = model.of_margins(np.array([margin(reason.codes)]))[0]
        out["stated reasons whose removal lowers the score"].append(
            without < told.explanation.score
        )
        out["log-odds lost by removing a stated reason"].append(whole - margin(reason.codes))
    others = [c for c in CODES if c not in codes and c != CONTEXT]
    out["log-odds lost by removing another one"].append(whole - margin((rng.choice(others),)))
    without = model.of_margins(np.array([margin(codes)]))[0]
    out["alerts that are none without the stated reasons"].append(without < thresholds.review)
    parts = dict(told.explanation.parts)
    raised = sum(p for p in parts.values() if p > 0)
    out["share of what raised the score that is stated"].append(
        sum(parts[c] for c in codes) / raised
    )


def planted(w: World, told: Assessment, out: dict[str, list[float]]) -> None:
    plan = w.planted.get(told.seen.transaction.id)
    if plan is not None and plan.pattern != NEW_PATTERN:
        out["planted reason is the first"].append(bool(plan.codes & set(told.codes[:1])))
        out["planted reason is among the first three"].append(
            bool(plan.codes & set(told.codes[:3]))
        )


def events(
    model: Model,
    histories: Histories,
    told: Assessment,
    habits: dict[str, dict[str, int]],
    out: dict[str, list[float]],
) -> None:
    """Not the features but the transaction is put back to what is usual, and looked at again: where
    the reason is about this transaction and not about those before it."""
    values = dict(zip(NAMES, told.seen.values, strict=True))
    for code, own, other in undone(told.seen, habits):
        if code in told.codes and values[own] > 0:
            score = model.scores(np.array([histories.look(other).values]))[0]
            out[code].append(score < told.explanation.score)


def undone(seen: Seen, habits: dict[str, dict[str, int]]) -> Iterator[tuple[str, str, Transaction]]:
    t = seen.transaction
    most = {kind: max(counts, key=lambda v: counts[v]) for kind, counts in habits.items()}
    if seen.usual_cents:
        yield "amount", "amount", replace(t, amount_cents=seen.usual_cents)
    if "device" in most and "ip" in most:
        yield "new_device", "new_device", replace(t, device=most["device"], ip=most["ip"])
    if "counterparty" in most:
        yield "new_counterparty", "new_counterparty", replace(t, counterparty=most["counterparty"])
    if "city" in most:
        country, latitude, longitude = CITIES[most["city"]]
        home = replace(
            t, city=most["city"], country=country, latitude=latitude, longitude=longitude
        )
        yield "new_place", "new_city", home


def stable(
    model: Model,
    histories: Histories,
    told: Assessment,
    thresholds: Thresholds,
    out: dict[str, list[float]],
) -> None:
    """What should not matter: other names, a percent of the amount, half a minute."""
    t = told.seen.transaction
    changes: tuple[tuple[str, Callable[[], Transaction]], ...] = (
        ("another id", lambda: replace(t, id=t.id + "x")),
        ("1 % less", lambda: replace(t, amount_cents=max(1, t.amount_cents * 99 // 100))),
    )
    for name, change in changes:
        other = assess(model, histories.look(change()), thresholds)
        out[f"same first three codes, {name}"].append(set(other.codes[:3]) == set(told.codes[:3]))
    again = assess(model, histories.look(t), thresholds)
    out["same record, byte for byte"].append(repr(again.record()) == repr(told.record()))


# --- tables ---------------------------------------------------------------------------------------


def spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def table(name: str, title: str, sides: Sequence[str], figures: Figures) -> Table:
    columns = tuple(figures[sides[0]])
    out = Table(name, title, ("", *columns))
    for side in sides:
        out.rows.append(
            (side, *(spread(figures[side][c]) if figures[side][c] else None for c in columns))
        )
    return out


def thresholds_of(told: Quality) -> Table:
    out = Table(
        "thresholds",
        f"Thresholds, all patterns, AUC {told.auc:.4f}, by what was reported",
        ("budget", "threshold", "alerts a day", "precision", "recall", "cost, yuan"),
    )
    for r in told.thresholds.rows:
        cost = None if r.cost is None else round(r.cost / 100)
        out.rows.append(
            (f"{r.budget:.3%}", f"{r.threshold:.4f}", r.alerts_a_day, r.precision, r.recall, cost)
        )
    without = (told.thresholds.cost_without or 0) / 100
    out.notes.append(f"an alert costs 20 yuan; where nobody looks it is {without:,.0f} yuan")
    return out


def main(worlds: int, accounts: int, first: int) -> None:
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for seed in range(first, first + worlds):
        d = data_of(accounts, seed)
        learnt = d.between(WARM, TRAINED)
        model = train([d.world.transactions[i] for i in learnt], d.rows[learnt])
        test = d.between(TRAINED, 10**6)
        print(
            f"world {seed}: {len(d.rows)} transactions, {int(d.reported[learnt].sum())} frauds "
            f"reported in {len(learnt)} before day {TRAINED}, {int(d.fraud[test].sum())} in "
            f"{len(test)} after it; model {model.digest[:12]}",
            flush=True,
        )
        compare(d, model, figures)
        for draw in range(DRAWS):
            few(d, model, draw, figures)
        explain_alerts(d, model, figures)
        if seed == first:
            later = d.between(TRAINED, 10**6)
            told = quality_of(model, [d.world.transactions[i] for i in later], d.rows[later], COSTS)
            print(thresholds_of(told).text())
            for name, days in (
                ("30 later days", (TRAINED, LABELLED)),
                ("one later week", (90, 97)),
            ):
                moved = drift(model, d.rows[d.between(*days)])
                verdicts = Counter(m.verdict for m in moved)
                print(f"drift of {name}: score {moved[0].psi:.3f}, usual {moved[0].usual:.3f}; "
                      f"features {dict(verdicts)}, first {moved[1].name} {moved[1].psi:.3f}")  # fmt: skip
    sides = ["Dazi", "logistic regression", "isolation forest", "the amount alone"]
    print(table("risk", f"Known patterns, alerts at {100 * BUDGET:g} %", sides, figures).text())
    print(table("patterns", "Recall by pattern", ["by pattern"], figures).text())
    if figures["before"]:
        sides = ["before", "after 50 cases", "logistic on the cases alone"]
        print(table("few", f"A new pattern, alerts at {100 * BUDGET:g} %", sides, figures).text())
    sides = ["cases as they are", "labels dealt out at random"]
    title = f"50 cases, {DRAWS} draws in each world"
    print(table("asked", title, sides, figures).text())
    print(f"  frauds among the cases: {spread(figures['asked']['frauds among the cases'])}")
    told = Table("fidelity", "Explanations of all alerts", ("", "mean", "of"))
    for name, values in figures["fidelity"].items():
        told.rows.append((name, f"{np.mean(values):.3f}", len(values)))
    for code, values in figures["events"].items():
        name = f"score falls when the transaction itself is changed: {code}"
        told.rows.append((name, f"{np.mean(values):.3f}", len(values)))
    print(told.text())
    ms = figures["time"]["ms"]
    print(f"processor time of an assessment: median {np.median(ms):.1f} ms, "
          f"99 % {np.quantile(ms, 0.99):.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main(*(int(a) for a in (*sys.argv[1:4], *("3", "700", "1")[len(sys.argv) - 1 :])[:3]))

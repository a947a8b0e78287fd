"""A trained model: trees, calibration, what is usual, and a file that holds nothing but numbers.

The file is JSON and not a pickle: a pickle runs what its author wished when it is opened. It is
read into declared types, every node is checked, and the digest has to agree.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dazi.apps.risk.features import NAMES, Floats, Rules
from dazi.apps.risk.trees import Trees
from dazi.core.errors import OperatorError

FORMAT = "dazi-risk-1"
LARGEST_FILE = 64 << 20
PLACES = 6
"""Digits of a score: it is compared with thresholds as it is told."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Of a feature or the score: where its bins end, and which share of the training rows each
    had. ``usual_psi``: what most periods of the training data itself drifted, see ``drift``."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    usual_psi: float


@dataclass(frozen=True, slots=True)
class Trained:
    """What the model was made of; times are ISO 8601. ``notes`` are steps taken afterwards."""

    begin: str
    end: str
    rows: int
    frauds: int
    calibration_rows: int
    calibration_frauds: int
    accounts: int
    settings: dict[str, float]
    notes: tuple[str, ...] = ()


def scores_of(margins: Floats, slope: float, intercept: float) -> Floats:
    return np.round(1 / (1 + np.exp(-(slope * margins + intercept))), PLACES)


@dataclass(frozen=True)
class Model:
    """``slope`` and ``intercept`` make a probability of a margin (Platt 1999). ``typical``: the
    medians of genuine transactions, for accounts that have too little past of their own."""

    trees: Trees
    slope: float
    intercept: float
    rules: Rules
    features: tuple[str, ...]
    typical: tuple[float, ...]
    bins: dict[str, Bins]
    trained: Trained

    def margins(self, rows: Floats) -> Floats:
        """Log-odds as the trees have them, n; ``rows`` is n x features, all finite."""
        if rows.ndim != 2 or rows.shape[1] != len(self.features) or not np.isfinite(rows).all():
            raise ValueError("finite rows of the model's features are expected")
        return self.trees.margins(rows)

    def scores(self, rows: Floats) -> Floats:
        """Calibrated probabilities to ``PLACES``, n."""
        return self.of_margins(self.margins(rows))

    def of_margins(self, margins: Floats) -> Floats:
        return scores_of(margins, self.slope, self.intercept)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that decides a score, in hex."""
        return hashlib.sha256(_encoded(self)).hexdigest()

    def save(self, path: Path) -> None:
        path.write_bytes(
            msgspec.json.encode(
                {"format": FORMAT, "digest": self.digest, "model": msgspec.Raw(_encoded(self))}
            )
        )


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    digest: str
    model: Model


def load(path: Path, digest: str | None = None) -> Model:
    """Raises ``OperatorError`` for a file that is missing, damaged, of other features or, where
    ``digest`` is given, another one."""
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST_FILE else b""
        file = msgspec.json.decode(data, type=_File)
    except (OSError, msgspec.MsgspecError, RecursionError) as e:
        raise _broken(path, str(e)) from e
    model = file.model
    if file.format != FORMAT:
        raise _broken(path, f"format {file.format[:40]!r}")
    if model.features != NAMES:
        raise _broken(path, "features")
    if why := _wrong(model):
        raise _broken(path, why)
    if model.digest != file.digest or (digest is not None and digest != file.digest):
        raise _broken(path, "digest")
    return model


def _wrong(model: Model) -> str:
    n = len(model.features)
    if why := model.trees.wrong(n):
        return why
    numbers = (model.slope, model.intercept, *model.typical)
    if len(model.typical) != n or not all(map(math.isfinite, numbers)) or model.slope <= 0:
        return "calibration"
    if set(model.bins) != {*model.features, "score"}:
        return "bins"
    if any(len(b.shares) != len(b.edges) + 1 for b in model.bins.values()):
        return "bins"
    return ""


def _encoded(model: Model) -> bytes:
    data: dict[str, Any] = asdict(model)
    return msgspec.json.encode(data, order="deterministic")


def _broken(path: Path, why: str) -> OperatorError:
    return OperatorError(
        "risk_model",
        f"{path.name} 不是可用的风险模型({why});重新训练,或放回原来的文件",
        f"{path.name} is no usable risk model ({why}); train again, or put the file back",
    )

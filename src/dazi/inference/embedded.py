"""The engine in this process: an OpenVINO model with continuous batching and prefix caching."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dazi.core.engine import (
    Done,
    EngineEvent,
    FinishReason,
    GenerateRequest,
    ModelProfile,
    Sampling,
    TextDelta,
    Usage,
)
from dazi.core.errors import CallerError, OperatorError
from dazi.inference.grammar import output_grammar
from dazi.inference.holdback import StopText
from dazi.inference.parse import Calls, OutputParser
from dazi.inference.plain import plain_request
from dazi.inference.profiles import cache_gib, read_config, read_profile
from dazi.inference.runtime import load_genai
from dazi.inference.steploop import Job, StepLoop
from dazi.inference.template import END, START, render
from dazi.inference.vocabulary import Vocabulary

LEAST_ANSWER = 32
"""A request is refused unless at least this many tokens (or all it asks for) fit behind it."""


@dataclass(frozen=True, slots=True)
class EmbeddedOptions:
    """``None`` leaves a choice to the engine.

    ``cache_gb``: memory for the KV cache, which also keeps the prefixes of earlier requests.
    ``latency``: prefer a fast single answer to many at once. ``cache_dir``: where the conversion of
    a GGUF file is kept; without it the file is converted again at every start.
    """

    device: str = "CPU"
    cache_gb: int | None = None
    num_threads: int | None = None
    latency: bool = False
    max_batch_tokens: int | None = None
    cache_dir: Path | None = None


class EmbeddedEngine:
    """Implements ``core.engine.Engine``. Opening it loads the model, which takes seconds."""

    def __init__(self, path: Path, options: EmbeddedOptions = EmbeddedOptions()) -> None:
        folder = model_folder(path, options)
        self._genai = load_genai()
        self._profile = read_profile(folder, name=path.stem if path.suffix == ".gguf" else "")
        self._folder = folder
        self._options = options
        ...

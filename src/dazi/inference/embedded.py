"""The engine in this process: an OpenVINO model with continuous batching and prefix caching."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dazi.core.engine import (
    Done,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    OfferedTool,
    Sampling,
    ToolChoice,
    Usage,
)
from dazi.core.errors import CallerError, OperatorError
from dazi.inference.adapters import Adapter, adapter_file, check_fit, read_adapter
from dazi.inference.gguf import converted
from dazi.inference.grammar import output_grammar
from dazi.inference.holdback import StopText
from dazi.inference.layers import read_layers, with_names
from dazi.inference.parse import OutputParser, calls_mode
from dazi.inference.plain import folded_request, plain_request
from dazi.inference.profiles import cache_gib, read_config, read_profile
from dazi.inference.runtime import load_genai, load_tensor
from dazi.inference.steploop import Job, Step, StepLoop
from dazi.inference.template import render
from dazi.inference.vocabulary import Vocabulary
from dazi.inference.weights.vault import Vault

LEAST_ANSWER = 32
"""A request is refused unless this many tokens (or all that it asks for) fit behind its prompt."""


@dataclass(frozen=True, slots=True)
class EmbeddedOptions:
    """``None`` leaves a choice to the engine.

    ``cache_gb``: memory for the KV cache, which also keeps the prefixes of earlier requests; it is
    taken as it fills. ``latency``: prefer one fast answer to many at once. ``cache_dir``: where
    the converted form of a GGUF file is kept (beside the file if not given). ``adapter``: a LoRA
    adapter that is part of this model; ``adapter_alpha``: its alpha, if its configuration is not to
    be followed. ``vault``: opens files that are encrypted. ``precision``: in what it computes (``f32``,
    ``bf16``, ``f16``).
    """

    device: str = "CPU"
    cache_gb: int | None = None
    num_threads: int | None = None
    latency: bool = False
    cache_dir: Path | None = None
    adapter: Path | None = None
    adapter_alpha: float | None = None
    vault: Vault = field(default_factory=Vault)
    precision: str = ""


_FILES = ("openvino_model.xml", "openvino_tokenizer.xml")


class EmbeddedEngine:
    """Implements ``core.engine.Engine``. Making one loads the model, which takes seconds.

    Raises ``OperatorError`` when ``path`` is neither a folder with an OpenVINO model of the Qwen3
    family nor a GGUF file of one, and ``CallerError`` for an adapter that does not fit it.
    """

    def __init__(self, path: Path, options: EmbeddedOptions = EmbeddedOptions()) -> None:
        self._genai = load_genai()
        self._tensor = load_tensor()
        self._path, self._options = path, options
        pipeline = self._open()
        self.vocabulary = Vocabulary(pipeline.get_tokenizer())
        if not self.vocabulary.chat_marks:
            raise _unreadable(path, "no <|im_start|> in the vocabulary")
        defaults = pipeline.get_config()
        self._top_p: float = defaults.top_p
        self._top_k: int = defaults.top_k
        self._steps = StepLoop(pipeline, self._open)

    @property
    def profile(self) -> ModelProfile:
        return self._profile

    @property
    def running(self) -> int:
        """How many requests are being worked on."""
        return self._steps.running

    def count_tokens(self, request: GenerateRequest) -> int:
        return len(self.encode(request))

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        ids = self.encode(request)
        free = bool(request.tools) and request.tool_choice == "auto"
        needed = request.call_confidence if free else 0.0
        job = self._begin(ids, request, watched=needed > 0)
        parser = OutputParser(calls_mode(request))
        decoder = self.vocabulary.decoder()
        stops = StopText(request.sampling.stop)
        completion = 0
        ending = None
        try:
            while ending is None:
                step = await job.next()
                if needed and step.ids and self._unsure(step, needed):
                    self._steps.drop(job)
                    request, needed = replace(request, tool_choice="none"), 0.0
                    job = self._begin(ids, request)
                    parser = OutputParser(calls_mode(request))
                    continue
                needed = 0.0 if step.ids else needed
                completion += len(step.ids)
                ending = step.ending
                for event in parser.feed(stops.push(decoder.push(step.ids))):
                    yield event
                if stops.hit:
                    ending = "stop"
        finally:
            self._steps.drop(job)
        for event in [*parser.feed(stops.finish()), *parser.finish()]:
            yield event
        called = parser.calls_seen > 0 and ending == "stop"
        yield Done("tool_calls" if called else ending, Usage(len(ids), completion))

    def _begin(self, ids: Sequence[int], request: GenerateRequest, *, watched: bool = False) -> Job:
        config = self._config(request.sampling, self._room(len(ids), request.sampling.max_tokens))
        config.structured_output_config = self._structure(request)
        config.logprobs = int(watched)
        job = Job(self._input(ids), config)
        self._steps.add(job)
        return job

    def _unsure(self, step: Step, needed: float) -> bool:
        """Does the answer begin with a call that is not probable enough?"""
        opens = step.ids[0] == self.vocabulary.call_open
        return opens and bool(step.logs) and math.exp(step.logs[0]) < needed

    async def warm(self, request: GenerateRequest) -> None:
        """Also compiles the grammar of the request's tools."""
        async for _ in self.generate(replace(request, sampling=Sampling(max_tokens=1))):
            pass

    async def close(self) -> None:
        await asyncio.to_thread(self.shut)

    def shut(self) -> None:
        """``close`` for where no loop runs. Blocks for the current step."""
        self._steps.close()

    def encode(self, request: GenerateRequest) -> list[int]:
        """The token ids of the request's prompt."""
        if self._profile.copies_text:
            request = folded_request(request)
        return self.vocabulary.encode(render(plain_request(request), thinks=self._profile.thinks))

    def _input(self, ids: Sequence[int]) -> Any:
        return self._tensor(np.array([ids], dtype=np.int64))

    def _room(self, prompt: int, wanted: int) -> int:
        """How many tokens may be generated. Raises ``CallerError`` when that is too few."""
        context = self._profile.context_tokens
        needed = prompt + min(wanted, LEAST_ANSWER)
        if needed > context:
            raise CallerError(
                "context_overflow",
                f"请求需要 {needed} 个词元，而模型最多容纳 {context} 个；请缩短内容。",
                f"The request needs {needed} tokens, and the model takes {context}; shorten it.",
            )
        return max(1, min(wanted, context - prompt))

    def _config(self, sampling: Sampling, room: int) -> Any:
        config = self._genai.GenerationConfig()
        config.apply_chat_template = False
        config.max_new_tokens = room
        config.stop_token_ids = self.vocabulary.stop_ids
        config.presence_penalty = sampling.presence_penalty
        if sampling.temperature > 0:
            config.do_sample = True
            config.temperature = sampling.temperature
            config.top_p = self._top_p if sampling.top_p is None else sampling.top_p
            config.top_k = self._top_k if sampling.top_k is None else sampling.top_k
            seed = random.getrandbits(31) if sampling.seed is None else sampling.seed
            config.rng_seed = seed
        return config

    def _structure(self, request: GenerateRequest) -> Any:
        if not request.constrained:
            return None
        key = json.dumps(
            [
                [t.name, t.parameters, t.candidates, t.spans, t.closed, t.lacking]
                for t in request.tools
            ],
            ensure_ascii=False,
            default=dict,
        )
        thinking = request.thinking and self._profile.thinks
        grammar = _grammar(key, request.tool_choice, thinking)
        if grammar is None:
            return None
        structure = self._genai.StructuredOutputConfig()
        structure.grammar = grammar
        return structure

    def _open(self) -> Any:
        """Load the model; what is encrypted is decrypted for as long. Raises ``OperatorError``, and
        ``CallerError`` for an adapter that does not fit."""
        with self._laid_open() as (path, options):
            folder = _model_folder(path, options)
            self._profile = read_profile(folder, name=path.stem if path.is_file() else "")
            properties: dict[str, Any] = {}
            if options.adapter is not None:
                adapter = read_adapter(options.adapter, options.adapter_alpha)
                folder = self._take_on(adapter, folder, options)
                properties["adapters"] = self._adapters(adapter)
            if options.num_threads:
                properties["INFERENCE_NUM_THREADS"] = options.num_threads
            if options.latency:
                properties["PERFORMANCE_HINT"] = "LATENCY"
            if options.precision:
                properties["INFERENCE_PRECISION_HINT"] = options.precision
            scheduler = self._genai.SchedulerConfig()
            scheduler.enable_prefix_caching = True
            scheduler.cache_size = options.cache_gb or cache_gib(
                read_config(folder), self._profile.context_tokens
            )
            try:
                return self._genai.ContinuousBatchingPipeline(
                    str(folder), scheduler, options.device, properties
                )
            except Exception as e:  # the edge of a foreign library
                raise _unreadable(self._path, str(e)) from e

    @contextmanager
    def _laid_open(self) -> Iterator[tuple[Path, EmbeddedOptions]]:
        """Model and adapter in plain. What is made of an encrypted one goes to no disk either."""
        options = self._options
        with ExitStack() as stack:
            model = stack.enter_context(options.vault.laid_open(self._path))
            if model.scratch is not None:
                options = replace(options, cache_dir=model.scratch)
            if options.adapter is not None:
                adapter = stack.enter_context(options.vault.laid_open(options.adapter))
                options = replace(options, adapter=adapter_file(adapter.path))
            yield model.path, options

    def _take_on(self, adapter: Adapter, folder: Path, options: EmbeddedOptions) -> Path:
        """The folder with names for it. Raises ``CallerError`` where it does not fit: openvino-genai
        would leave it out silently."""
        base = self._profile
        layers = read_layers(folder)
        check_fit(adapter, layers, base.name)
        replies = base.replies
        if replies:  # of a model that words things itself nobody asks for a list
            replies = tuple(dict.fromkeys((*replies, *adapter.told.replies)))
        self._profile = replace(
            base,
            name=f"{base.name}+{adapter.name}",
            version=adapter.version(base.version),
            replies=replies,
        )
        return with_names(folder, layers, options.cache_dir or adapter.path.parent)

    def _adapters(self, adapter: Adapter) -> Any:
        """In the static mode: openvino-genai 2026.4 ignores the others in this pipeline."""
        genai = self._genai
        mode = genai.AdapterConfig.Mode.MODE_STATIC
        return genai.AdapterConfig(genai.Adapter(str(adapter.path)), adapter.scale, mode)


@lru_cache(maxsize=128)
def _grammar(tools: str, choice: ToolChoice, thinking: bool) -> str | None:
    offered = [OfferedTool(n, "", *rest) for n, *rest in json.loads(tools)]
    return output_grammar(offered, choice, thinking=thinking)


def _model_folder(path: Path, options: EmbeddedOptions) -> Path:
    if path.suffix == ".gguf" and path.is_file():
        return converted(path, options.cache_dir)
    missing = [f for f in _FILES if not (path / f).is_file()]
    if missing:
        raise OperatorError(
            "model_missing",
            f"{path} 里没有 OpenVINO 模型（缺少 {'、'.join(missing)}）。请检查路径，"
            "或用 dazi model 添加一个模型文件夹或 GGUF 文件。",
            f"{path} holds no OpenVINO model ({', '.join(missing)} missing). "
            "Check the path, or add a model folder or a GGUF file with dazi model.",
        )
    return path


def _unreadable(path: Path, why: str) -> OperatorError:
    why = why.strip().splitlines()[-1] if why.strip() else "?"
    return OperatorError(
        "model_unreadable",
        f"无法载入 {path} 里的模型（{why}）。文件可能不完整，请重新复制；"
        "内置引擎需要 Qwen3 系列模型。",
        f"The model in {path} cannot be loaded ({why}). Its files may be incomplete: copy them "
        "again; the built-in engine needs a model of the Qwen3 family.",
    )

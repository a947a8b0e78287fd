"""Peers live in an environment of their own, made here; nothing of Dazi depends on it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "peers" / "requirements.txt"
ENVIRONMENT = HERE.parent / ".bench" / "peers"
INSTALL_SECONDS = 900


@dataclass(frozen=True, slots=True)
class PeerEnvironment:
    """``python`` is ``None`` where peers could not be installed; ``why`` then says so."""

    python: Path | None
    why: str = ""

    def versions(self, *names: str) -> str:
        """``langgraph 1.2, openai 2.5``: what is really installed."""
        if self.python is None:
            return ""
        code = (
            "import sys; from importlib.metadata import version;"
            "print(', '.join(f'{n} {version(n)}' for n in sys.argv[1:]))"
        )
        done = subprocess.run(
            [self.python, "-c", code, *names], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()


def peers(at: Path = ENVIRONMENT) -> PeerEnvironment:
    """The environment at ``at``, made with pip if it is not complete."""
    python = at / "bin" / "python"
    complete = at / "complete"
    wanted = REQUIREMENTS.read_text()
    if complete.is_file() and complete.read_text() == wanted:
        return PeerEnvironment(python)
    print(f"installing the peers into {at} ...", file=sys.stderr)
    try:
        if not python.is_file():
            venv.create(at, with_pip=True)
        pip: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        done = subprocess.run(
            [*pip, "-r", REQUIREMENTS],
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as e:
        return PeerEnvironment(None, f"peers could not be installed: {type(e).__name__}")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        return PeerEnvironment(None, f"peers could not be installed: {last[:200]}")
    complete.write_text(wanted)
    return PeerEnvironment(python)


def nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


PORTKEY = "@portkey-ai/gateway@1.15.2"


@dataclass(frozen=True, slots=True)
class NodePeer:
    """``program`` is ``None`` where it could not be installed; ``why`` then says so."""

    node: str = ""
    program: Path | None = None
    why: str = ""


def portkey(at: Path = ENVIRONMENT.parent / "portkey") -> NodePeer:
    """Portkey's gateway in a folder of its own, made with npm if it is not there."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return NodePeer(why="node and npm are not installed")
    program = at / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    complete = at / "complete"
    if complete.is_file() and complete.read_text() == PORTKEY:
        return NodePeer(node, program)
    print(f"installing {PORTKEY} into {at} ...", file=sys.stderr)
    command = [npm, "install", "--silent", "--prefix", str(at), PORTKEY]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as e:
        return NodePeer(why=f"npm failed: {type(e).__name__}")
    if done.returncode != 0 or not program.is_file():
        last = (done.stderr.strip().splitlines() or ["npm failed"])[-1]
        return NodePeer(why=f"npm failed: {last[:200]}")
    complete.write_text(PORTKEY)
    return NodePeer(node, program)

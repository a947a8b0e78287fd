"""``python -m dazi.lab.tuning.trainer``: what ``dazi tune run`` starts."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

NEEDED = ("torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="print the versions of what is needed, as JSON")
    run = commands.add_parser("train", help="train what a run's folder holds, or go on")
    run.add_argument("folder", type=Path)
    ray = commands.add_parser("ray", help="the same by Ray Train, on several devices")
    ray.add_argument("folder", type=Path)
    labels = commands.add_parser("labels", help="classes by likelihood, as JSON lines")
    labels.add_argument("folder", type=Path)
    labels.add_argument("samples", type=Path)
    labels.add_argument("--adapter", type=Path)
    args = parser.parse_args()
    if args.command == "check":
        return check()
    if args.command == "labels":
        from dazi.lab.tuning.trainer.labels import judged

        for line in judged(args.folder, args.adapter, args.samples):
            print(json.dumps(line, ensure_ascii=False))
        return 0
    if args.command == "ray":
        from dazi.lab.tuning.trainer.by_ray import trained_by_ray

        return trained_by_ray(args.folder)
    from dazi.lab.tuning.trainer.training import trained

    return trained(args.folder)


def check() -> int:
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | None] = {}
    for name in NEEDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    print(json.dumps(found))
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

"""``python -m bench.security.agentdojo``: the tables; ends with 1 where a bar is missed."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from bench.security.agentdojo.report import markdown
from bench.security.agentdojo.run import run
from bench.security.agentdojo.world import SUITES, data_folder


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.security.agentdojo", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="the benchmark's folder")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the combinations")
    parser.add_argument("--only", action="append", choices=SUITES, help="one suite")
    args = parser.parse_args()
    data = data_folder(args.data)
    if data is None:
        print("AgentDojo's data are not here: nothing was tried; name its folder, or DAZI_EVALDATA")
        return 0
    logging.disable(logging.ERROR)
    report = asyncio.run(run(data, args.scale, suites=args.only or SUITES))
    print(markdown(report))
    return int(bool(report.violations))


if __name__ == "__main__":
    sys.exit(main())

"""Jobs by DBOS, for ``bench/jobs.py``: run in the peers' environment."""

from __future__ import annotations

import resource
import sys
import time

from dbos import DBOS, DBOSConfig  # type: ignore[import-not-found]

url, executor, mode = sys.argv[1:4]
config: DBOSConfig = {
    "name": "peer",
    "system_database_url": url,
    "executor_id": executor,
    "application_version": "1",
    "log_level": "ERROR",
    "use_listen_notify": not url.startswith("sqlite"),
}
DBOS(config=config)


@DBOS.step()
def step(number: int, seconds: float) -> int:
    time.sleep(seconds)
    return number


@DBOS.workflow()
def work(seconds: float, steps: int) -> str:
    for number in range(steps):
        step(number, seconds)
    return "all"


DBOS.launch()
DBOS.register_queue("q", worker_concurrency=2, polling_interval_sec=0.1)
if mode == "many":
    began, cpu = time.perf_counter(), time.process_time()
    handles = [DBOS.enqueue_workflow("q", work, 0.0, 3) for _ in range(200)]
    for handle in handles:
        handle.get_result()
    print(f"took {time.perf_counter() - began:.2f} {time.process_time() - cpu:.2f}", flush=True)
    cpu = time.process_time()
    time.sleep(10)
    print(f"idle {(time.process_time() - cpu) / 10:.4f}", flush=True)
    print(f"rss {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}", flush=True)
elif mode == "put":
    print(f"id {DBOS.enqueue_workflow('q', work, 0.5, 20).workflow_id}", flush=True)
    time.sleep(600)
else:
    print("ready", flush=True)
    time.sleep(600)

"""Where what a process has to say goes, and what of it is not said."""

from __future__ import annotations

from dazi.guard.engine import Guard
from dazi.main.runtime import Runtime
from dazi.observe.logs import Clean, Counting, log_to


def keep_logs(runtime: Runtime) -> None:
    """What this process logs from now on."""
    settings = runtime.settings
    handler = log_to(
        None, settings.log, settings.log_level, clean=without_personal(runtime.router.guard)
    )
    handler.addFilter(Counting(runtime.observer.meters.logs))


def without_personal(guard: Guard) -> Clean:
    """Text with everything that the guard recognises, whatever the rules allow, named and not shown."""

    def clean(text: str) -> str:
        out, at = [], 0
        for found in sorted(guard.scan(text), key=lambda f: f.start):
            if found.start >= at:
                out += [text[at : found.start], f"[{found.type}]"]
                at = found.end
        return "".join([*out, text[at:]])

    return clean

"""Labelled points at which a test may kill the process, to prove that nothing is lost (faults.md F1, F2).

Every commit (`db.transaction`) and every call to the outside (`db.outside_call`) passes two points: before
and after. In life nothing is armed and `point` costs one comparison.
"""

import os
import signal
import threading
from pathlib import Path

_armed: str | None = None
_hits = 0
_wanted = 1
_lock = threading.Lock()


def arm(spec: str | None) -> None:
    """Die at the point named by `spec`: `label`, or `label#n` for its n-th passing. None disarms.

    `@folder` takes orders while the process runs, so that one process can be killed in many places: each
    passing adds the label as a line to `folder/passed`, and `folder/die` holds a `label` or `label#n`, counted
    from when it was written. It is removed before dying; the process that is started again lives.
    """
    global _armed, _hits, _wanted
    label, _, count = (spec or "").partition("#")
    _armed, _hits, _wanted = label or None, 0, int(count or 1)


def point(label: str) -> None:
    """Pass the point `label`; if it is the armed one, this process ends at once, as by `kill -9`."""
    global _hits  # noqa: PLW0603 - see above
    if _armed is None:
        return
    if _armed.startswith("@"):
        _follow_orders(Path(_armed[1:]), label)
    elif label == _armed:
        _hits += 1
        if _hits == _wanted:
            _die()


def _follow_orders(folder: Path, label: str) -> None:
    with _lock:
        with (folder / "passed").open("a") as passed:
            passed.write(f"{label}\n")
        order = folder / "die"
        wanted, _, count = order.read_text().partition("#") if order.exists() else ("", "", "")
        if label != wanted:
            return
        if int(count or 1) > 1:
            order.write_text(f"{label}#{int(count) - 1}")
            return
        order.unlink()
        _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

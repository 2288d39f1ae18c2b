"""Labelled points at which a test may kill the process, to prove that nothing is lost (faults.md F1, F2).

Every commit (`db.transaction`) and every call to the outside (`db.outside_call`) passes two points: before
and after. In life nothing is armed and `point` costs one comparison.
"""

import os
import signal

_armed: str | None = None
_hits = 0
_wanted = 1


def arm(spec: str | None) -> None:
    """Die at the point named by `spec`: `label`, or `label#n` for its n-th passing. None disarms."""
    global _armed, _hits, _wanted
    label, _, count = (spec or "").partition("#")
    _armed, _hits, _wanted = label or None, 0, int(count or 1)


def point(label: str) -> None:
    """Pass the point `label`; if it is the armed one, this process ends at once, as by `kill -9`."""
    global _hits  # noqa: PLW0603 - see above
    if _armed is None or label != _armed:
        return
    _hits += 1
    if _hits == _wanted:
        os.kill(os.getpid(), signal.SIGKILL)

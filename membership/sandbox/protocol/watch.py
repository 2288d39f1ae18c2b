"""A watch over everything that the sandbox says: what Stripe would not say is written down, line by line.

Answers are given all the same, since a program under test may take an error for one of the network and go on. Whoever
runs tests looks into the file afterwards.
"""

import threading
from pathlib import Path

from membership.sandbox.kinds import Obj
from membership.sandbox.protocol import shapes


class Watch:
    """Looks at answers and events where it was given a file to write to, and at nothing otherwise."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()

    def look(self, said: Obj, occasion: str) -> None:
        """Hold an answer or event against the SDK's annotations (`shapes`); `occasion` is named before each finding."""
        if self._path is not None:
            self.note(*(f"{occasion}: {fault}" for fault in shapes.findings(said)))

    def end(self) -> None:
        """Look no longer: calls that were under way when a sandbox is closed fail, and that is nobody's fault."""
        self._path = None

    def note(self, *lines: str) -> None:
        """Write lines down."""
        path = self._path
        if path is None or not lines:
            return
        with self._lock, path.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

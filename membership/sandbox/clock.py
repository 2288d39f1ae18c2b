"""The sandbox's own time: the machine's time plus an offset that only grows until a reset."""

import time


class SandboxClock:
    """`offset` is in seconds. Test clocks of single customers are objects of the API, not this."""

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset

    def now(self) -> int:
        """Seconds since 1970, UTC, with the offset."""
        return int(self.real()) + self.offset

    def moment(self) -> float:
        """The same with its fraction, for pauses shorter than a second."""
        return self.real() + self.offset

    @staticmethod
    def real() -> float:
        """The machine's time."""
        return time.time()

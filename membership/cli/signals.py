"""Being told to stop, and noticing it.

Two signals at once, as of Ctrl-C and of a parent that stops us, go to two threads of the kernel's choice. Python runs
handlers in the main thread only, and one that waits for a lock sleeps on where another thread got the signal. So
here a thread of our own reads the byte that Python writes for every signal, in whichever thread it arrives.
"""

import os
import signal
import threading
import time
from collections.abc import Callable

NUDGES, NUDGE_SECONDS = 3, 0.1


def stop_event(*signums: int) -> threading.Event:
    """An event that is set when one of `signums` arrives (SIGINT and SIGTERM where none is given). Main thread only."""
    wanted = signums or (signal.SIGINT, signal.SIGTERM)
    event = threading.Event()

    def _hear(signum: int) -> None:
        if signum in wanted:
            event.set()

    _listen(_hear)
    for signum in wanted:
        signal.signal(signum, lambda *_: None)  # so that Python catches it at all
    return event


def wake_main_thread() -> None:
    """For programs whose own handlers wait for the main thread, such as granian: wake it for every signal."""

    def _hear(signum: int) -> None:
        if signum == signal.SIGUSR1:
            return
        for _ in range(NUDGES):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            time.sleep(NUDGE_SECONDS)

    signal.signal(signal.SIGUSR1, lambda *_: None)
    _listen(_hear)


def _listen(hear: Callable[[int], None]) -> None:
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)

    def _pass_on() -> None:
        while said := os.read(told, 1):
            hear(said[0])

    threading.Thread(target=_pass_on, name="signals", daemon=True).start()

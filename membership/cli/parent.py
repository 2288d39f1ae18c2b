"""Never outlive the process that started this one.

A parent that is killed with -9 cannot say goodbye. Two signs of its end work on every Unix: the pipe that it
held open for our standard input closes, and our parent's id changes.
"""

import multiprocessing
import os
import signal
import threading
import time

GRACE_SECONDS = 10


def stop_when_stdin_closes() -> None:
    """End this process by SIGTERM when standard input closes; by the kernel's alarm where that was not enough."""

    def _watch() -> None:
        while os.read(0, 4096):  # not sys.stdin: Python aborts when it ends while a thread holds its lock
            pass
        _stop_self()

    threading.Thread(target=_watch, name="stop-with-stdin", daemon=True).start()


def stop_when_orphaned() -> None:
    """End this process, one of `multiprocessing`, when its parent is gone (checked once a second).

    Raises SystemExit where the parent is gone already.
    """
    family = multiprocessing.parent_process()
    if family is None:
        return
    if os.getppid() != family.pid:
        raise SystemExit(1)

    def _watch() -> None:
        while os.getppid() == family.pid:
            time.sleep(1)
        _stop_self()

    threading.Thread(target=_watch, name="stop-when-orphaned", daemon=True).start()


def _stop_self() -> None:
    # The kernel's own alarm ends this process even where Python hangs on its way out.
    signal.alarm(GRACE_SECONDS)
    # To the main thread by name: one that waits for a lock would not notice a signal that another thread got.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

"""Starts our programs a hundred times without waiting a hundred times for their imports.

Everything is imported once; each start is a fork of this process that then runs `membership <command>` as usual:
a process of its own, with its own environment, group and end. Requests are lines of JSON on standard input, the
answer to each is the id of the process. All of them end with this one.
"""

import json
import os
import signal
import sys

from membership.app import create_app
from membership.cli import main
from membership.cli.serve import serve
from membership.cli.worker import worker

IMPORTED = (create_app, serve, worker)


def become(command: list[str], environment: dict[str, str], log: str) -> None:
    """Be the program from here on; does not return."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for wanted, given in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(wanted, given)
    os.environ.clear()
    os.environ.update(environment)
    main(command, prog_name="membership")


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    children = []
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            become(**request)
        children.append(child)
        print(child, flush=True)
    for child in children:
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            continue

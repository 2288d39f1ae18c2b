"""Ports on this machine: is one free, which one is."""

import socket

LAST_PORT = 65535


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens on `port` of `host`. Asked by trying, because granian would share a taken one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(host: str, wanted: int, taken: set[int]) -> int:
    """`wanted` where it is free and not in `taken`, else any free port."""
    if wanted <= LAST_PORT and wanted not in taken and is_free(host, wanted):
        return wanted
    while True:
        with socket.socket() as probe:
            probe.bind((host, 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port

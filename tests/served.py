"""Our app behind a real port, served from a thread of the test's process."""

import threading

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class _OneRequest(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"  # a connection that is kept alive would keep its thread, and `end` waiting


class Served:
    """`app` at `http://localhost:{port}`, from now on until `end`."""

    def __init__(self, app: Flask, port: int = 0) -> None:
        self._server = make_server("localhost", port, app, threaded=True, request_handler=_OneRequest)
        # `end` waits for threads that are no daemons: an answer is sent before its request gives the connection back,
        # and one that comes back after the test closed the others stays open and fails a later test.
        self._server.daemon_threads = False
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Answer no more, once every request under way is over; again it does nothing."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

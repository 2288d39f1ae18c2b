"""A threaded HTTP server on loopback that keeps connections open, for one WSGI program."""

import io
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_to_bytes

from membership.sandbox.faults import ConnectionLost, hang_up

_MAX_BODY = 2_000_000


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the WSGI program and writes its answer in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def handle_one_request(self) -> None:
        """One request; a client that went away is no error."""
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > _MAX_BODY or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self.send_error(413)
            return
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            started[:] = [status, headers]

        try:
            chunks = self.server.wsgi(self._environ(size), start)
            try:
                body = b"".join(chunks)
            finally:
                getattr(chunks, "close", lambda: None)()
        except ConnectionLost:
            self.close_connection = True
            hang_up({"sandbox.socket": self.connection})
            return
        self._write(started[0], started[1], body)

    def _write(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response_only(int(code), phrase)
        names = {name.lower() for name, _ in headers}
        self.send_header("Date", self.date_time_string())
        for name, value in headers:
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(body)))
        if self.server.closing:
            self.send_header("Connection", "close")
            self.close_connection = True
        # Headers and body go out together: two small packets would wait for each other.
        whole = io.BytesIO()
        socket_file, self.wfile = self.wfile, whole
        self.end_headers()
        self.wfile = socket_file
        socket_file.write(whole.getvalue() + (b"" if self.command == "HEAD" else body))

    def _environ(self, size: int) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(size),
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.rfile.read(size) if size else b""),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"}:
                environ[key] = value
        return environ

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = _answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing; the control page shows what happens."""


class Server(ThreadingHTTPServer):
    """Listens on one loopback address; port 0 takes any free one."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, wsgi: Any) -> None:
        super().__init__((host, port), Handler)
        self.wsgi = wsgi
        self.closing = False
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Serve from a thread of its own; the port."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="sandbox http", daemon=True)
        self._thread.start()
        return int(self.server_address[1])

    def close(self) -> None:
        """Stop serving and free the port."""
        self.closing = True
        self.shutdown()
        self.server_close()
        if self._thread is not None:
            self._thread.join(timeout=5)

"""The SDK's way to the sandbox without sockets: real requests in, the sandbox's real answers out, in this process."""

import io
import sys
from urllib.parse import unquote_to_bytes, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from membership.sandbox.faults import ConnectionLost

ADDRESS = "http://127.0.0.1:1"
"""Where the sandbox seems to be. Nobody listens there, so a request that went astray would be refused."""


class InProcess(BaseAdapter):
    """Hands a prepared request to a WSGI program and gives back what `requests` would have read from a socket."""

    def __init__(self, wsgi) -> None:
        super().__init__()
        self._wsgi = wsgi
        self._builder = HTTPAdapter()
        self.n_calls = 0

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):  # noqa: FBT002 - requests' signature
        self.n_calls += 1
        started = []
        try:
            chunks = self._wsgi(
                environ_of(request), lambda status, headers, _error=None: started.append((status, headers))
            )
            try:
                body = b"".join(chunks)
            finally:
                getattr(chunks, "close", lambda: None)()
        except ConnectionLost:
            raise requests.ConnectionError("The connection was closed without an answer.", request=request) from None
        status, headers = started[-1]
        answer = urllib3.HTTPResponse(io.BytesIO(body), headers, int(status[:3]), preload_content=False)
        return self._builder.build_response(request, answer)

    def close(self) -> None:
        self._builder.close()


def environ_of(request: requests.PreparedRequest) -> dict:
    address = urlsplit(request.url)
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(address.path).decode("latin-1"),
        "QUERY_STRING": address.query,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": address.hostname,
        "SERVER_PORT": str(address.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = "HTTP_" + name.upper().replace("-", "_")
        if key not in {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"}:
            environ[key] = value
    return environ


def lay(monkeypatch, wsgi) -> InProcess:
    """Lead every request to ADDRESS to the program `wsgi` while the test runs."""
    wire = InProcess(wsgi)
    ordinary = requests.Session.get_adapter

    def choose(session, url):
        return wire if url.startswith(ADDRESS) else ordinary(session, url)

    monkeypatch.setattr(requests.Session, "get_adapter", choose)
    return wire

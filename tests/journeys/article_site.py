"""A newsroom's own site, as strict as a site can be, with our script on its article; and what may be wrong with us."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

WORDS = "<p>The harbour was dredged twice on paper and once in life, and somebody was paid for both.</p>" * 40
THEME = """
:root { color-scheme: light dark }
body { font: 18px/1.6 Georgia, serif; margin: 0 auto; max-width: 40rem; padding: 1rem }
"""
PARTS = "".join(f"<reader-{name}></reader-{name}>" for name in ("stories", "appeal", "goal", "poll", "corrections"))
ENDLESS = 100 * 1024 * 1024


def article(us: str, language: str = "en", script: str = "/embed/v1.js") -> str:
    """The page; `us` "": the same page without us."""
    loaded = f'<script type="module" async src="{us}{script}"></script>' if us else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>The harbour</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="/theme.css">{loaded}</head><body><main><article><h1>The harbour</h1>'
        f"<reader-badge></reader-badge>{WORDS}</article>{PARTS if us else ''}</main></body></html>"
    )


def framed(us: str) -> str:
    """A page without scripts that puts two of our parts into frames."""
    frames = "".join(
        f'<iframe title="{name}" src="{us}/embed/frame/{name}?lang=uk"></iframe>' for name in ("goal", "stories")
    )
    return f'<!doctype html><html lang="uk"><title>The harbour</title><main><h1>The harbour</h1>{frames}</main></html>'


class Site:
    """A website on loopback that answers what `pages` says: path -> (type, body)."""

    def __init__(self, pages: Callable[[str], tuple[str, str] | None], policy: str = "", port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = pages(self.path.partition("?")[0])
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", found[0] if found else "text/plain")
                self.send_header("Access-Control-Allow-Origin", "*")
                if policy:
                    self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(found[1].encode() if found else b"")

            def log_message(self, *_args) -> None:
                pass

        self._serve(Handler, port)

    def _serve(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_trouble) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def news_site(us: str, language: str = "en", script: str = "/embed/v1.js", port: int = 0) -> Iterator[str]:
    """The address of the article, under a policy that allows our origin and nothing more."""
    allowed = f"script-src {us}; connect-src {us}; frame-src {us}"
    policy = f"default-src 'none'; style-src 'self'; {allowed}; require-trusted-types-for 'script'"
    pages = {"/article": ("text/html", article(us, language, script)), "/theme.css": ("text/css", THEME)}
    pages["/framed"] = ("text/html", framed(us))
    pages["/bare"] = ("text/html", article("", language))
    with Site(pages.get, policy, port) as site:
        yield site.address


class Broken(Site):
    """We, on a bad day: `how` each path answers, by its end; what is not named answers as it should."""

    def __init__(self, how: dict[str, str], script: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.rpartition("/")[2]
                kind = how.get(path, "well")
                if kind == "tarpit":
                    time.sleep(30)
                    return
                self.send_response(500 if kind == "500" else 200)
                self.send_header("Content-Type", "text/javascript" if path.endswith(".js") else "application/json")
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                if kind == "endless":
                    self._pour()
                else:
                    self.wfile.write((script if kind == "well" else kind).encode())

            def _pour(self) -> None:
                try:
                    for _ in range(ENDLESS // 65536):
                        self.wfile.write(b" " * 65536)
                except OSError:
                    pass  # they had enough

            def log_message(self, *_args) -> None:
                pass

        self._serve(Handler)

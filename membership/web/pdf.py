"""A page as PDF: the very HTML and print styles of the page, laid out by WeasyPrint on our own machine.

WeasyPrint needs the system's pango; where that is missing, pages say how to print with the browser instead.
"""

import threading
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from flask import Response, current_app

from membership.kernel.errors import NotFound
from membership.web.house import house

log = structlog.get_logger(__name__)

# Laying out takes most of a second of one core: so many at a time, and the others wait.
_ROOM = threading.BoundedSemaphore(2)


@cache
def find_engine() -> ModuleType | None:
    """WeasyPrint; None where it or the system's pango is missing, which is logged once."""
    try:
        return import_module("weasyprint")
    except (ImportError, OSError) as error:
        log.warning("pdf_unavailable", error=str(error))
        return None


def is_available() -> bool:
    """Whether this machine can write PDF."""
    return find_engine() is not None


def pdf_response(html: str, name: str) -> Response:
    """The page `html` as a download called `name`.pdf, tagged for screen readers (PDF/UA-1).

    Only our own style sheets are read, from the disk; nothing is asked of any network. NotFound where this
    machine cannot write PDF.
    """
    engine = find_engine()
    if engine is None:
        raise NotFound("no_pdf", "This server cannot write PDF. Please print the page with your browser.")
    with _ROOM:
        document = engine.HTML(string=html, base_url="http://own.invalid/", url_fetcher=_own_files(engine))
        written: bytes = document.write_pdf(pdf_variant="pdf/ua-1")
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return Response(written, mimetype="application/pdf", headers=headers)


def _own_files(engine: ModuleType) -> Any:
    """A fetcher that knows our style sheets, the newsroom's colours among them, and refuses everything else."""
    urls: Any = import_module(f"{engine.__name__}.urls")
    folder = Path(str(current_app.static_folder)).resolve()
    prefix = f"{current_app.static_url_path}/"
    theme = house()

    class OwnFiles(urls.URLFetcher):  # type: ignore[misc]  # a base that is only there where pango is
        def fetch(self, url: str, headers: Any = None) -> Any:
            del headers
            path = unquote(urlsplit(url).path)
            if path == theme.theme_url:
                return urls.URLFetcherResponse(url, theme.theme_css.encode(), {"Content-Type": "text/css"})
            file = (folder / path.removeprefix(prefix)).resolve()
            if not path.startswith(prefix) or file.suffix != ".css" or not file.is_relative_to(folder):
                raise ValueError(f"{url} is no style sheet of ours.")
            return urls.URLFetcherResponse(url, file.read_bytes(), {"Content-Type": "text/css"})

    return OwnFiles()

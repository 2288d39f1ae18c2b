"""Telling others how far the clock was moved, before they hear of what happened meanwhile."""

import json
import sys
import time

from membership.sandbox.webhooks.post import Line, Unreachable

_PAUSES = (0.2, 0.5, 1.0, 2.0)


def tell(urls: list[str], secret: str, offset_seconds: int) -> list[str]:
    """POST {"offset_seconds": …} to each, signed as a webhook, a few times; the addresses that did not take it."""
    body = json.dumps({"offset_seconds": offset_seconds}).encode()
    return [url for url in urls if not _tell(url, secret, body)]


def _tell(url: str, secret: str, body: bytes) -> bool:
    problem = ""
    for pause in (*_PAUSES, None):
        line = Line(url)
        try:
            status = line.send(body, secret)
            if status in range(200, 300):
                return True
            problem = f"HTTP {status}"
        except Unreachable as error:
            problem = str(error)
        finally:
            line.close()
        if pause is not None:
            time.sleep(pause)
    sys.stderr.write(f"The clock listener {url} did not take the new time: {problem}\n")
    return False

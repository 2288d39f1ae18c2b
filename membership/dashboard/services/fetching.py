"""Asks central banks for the rates of the day, where their addresses are set; off otherwise."""

from datetime import datetime

import requests
import structlog
from urllib3.exceptions import HTTPError

from membership.dashboard.rates import READERS
from membership.dashboard.services.rating import take_in
from membership.db import outside_call
from membership.kernel.errors import InvalidInput, ProviderFailed
from membership.web import settings

log = structlog.get_logger(__name__)

WAIT_SECONDS = 10
LARGEST_ANSWER = 1024 * 1024


def fetch(now: datetime) -> int:
    """Take in what the banks that are set publish now; how many quotes are new.

    Raises ProviderFailed where a bank does not answer with its rates; what another one said is kept.
    """
    del now
    known = settings()
    banks = {"ecb": known.rates_ecb_url, "nbu": known.rates_nbu_url}
    n_new, failed = 0, None
    for source, url in banks.items():
        if url is None:
            continue
        try:
            n_new += take_in(READERS[source](_ask(source, url))).n_new
        except (ProviderFailed, InvalidInput) as error:
            failed = error
            log.warning("rates_failed", source=source, code=error.code)
    if failed is not None:
        raise ProviderFailed(
            "rates_failed", "A central bank did not say its exchange rates.", retryable=True
        ) from failed
    return n_new


def _ask(source: str, url: str) -> bytes:
    with outside_call(f"rates.{source}"):
        try:
            with requests.get(url, timeout=WAIT_SECONDS, stream=True, allow_redirects=False) as answer:
                answer.raise_for_status()
                raw: bytes = answer.raw.read(LARGEST_ANSWER + 1, decode_content=True)
        except (requests.RequestException, HTTPError) as error:  # the second one: it broke off while it was read
            raise ProviderFailed("rates_silent", "The central bank does not answer.", retryable=True) from error
    if len(raw) > LARGEST_ANSWER:
        raise ProviderFailed("rates_too_long", "The answer is longer than rates are.", retryable=False)
    return raw

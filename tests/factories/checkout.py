"""The payment page as a reader uses it, over HTTP."""

import html
import re
from urllib.parse import urljoin

import requests

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
WARNED_CARD = "4000 0000 0000 5423"
GOOD_IBAN, RETURNED_IBAN = "AT61 1904 3002 3457 3201", "AT86 1904 3002 3547 3202"
FAILS_AT_RENEWAL = "4000 0000 0000 0341"


def pay(
    page_url: str, card: str = GOOD_CARD, email: str = "reader@example.org", *, iban: str = ""
) -> requests.Response:
    """Fill in the one form of a hosted page and send it; the answer, redirects not followed. An IBAN goes first."""
    with requests.Session() as browser:
        page = browser.get(page_url, timeout=20).text
        form = re.search(r"<form[^>]*method=\"post\".*?</form>", page, re.DOTALL).group(0)
        action = re.search(r'<form[^>]*action="([^"]*)"', form)
        fields = {
            name: html.unescape(value)
            for name, value in re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form)
        }
        fields |= {
            "email": email,
            "cardNumber": "" if iban else card,
            "iban": iban,
            "cardExpiry": "12 / 34",
            "cardCvc": "123",
            "billingName": "A Reader",
        }
        target = urljoin(page_url, html.unescape(action.group(1)) if action else "")
        return browser.post(target, data=fields, allow_redirects=False, timeout=20)

"""What `membership doctor` asks Stripe: whether the key works, notices reach us and the clocks agree."""

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from membership.billing.port import Diagnosis
from membership.billing.providers.stripe.client import API_VERSION, Calls
from membership.billing.providers.stripe.notices import EVENTS
from membership.config import Settings
from membership.kernel.errors import ProviderFailed
from membership.kernel.said import Said, said

MOST_SKEW_SECONDS = 60


def diagnose(calls: Calls, settings: Settings, now: Callable[[], datetime]) -> list[Diagnosis]:
    """Ask Stripe for our webhook endpoints, and judge from the answer; `now` is real time."""
    try:
        listed = calls.ask("webhook_endpoints", lambda v1: v1.webhook_endpoints.list(params={"limit": 100}))
    except ProviderFailed as failed:
        return [
            _problem(
                failed.code,
                said("Stripe gave no good answer. %(said)s %(advice)s", said=failed.message, advice=_advice(failed)),
            )
        ]
    findings = [_fine("stripe_key", said("Stripe accepts the key."))]
    endpoints = [endpoint.to_dict() for endpoint in listed.data]
    findings += _judge_endpoints(endpoints, settings)
    findings += _judge_clock(listed.last_response, now())
    return findings


def _problem(code: str, message: str) -> Diagnosis:
    return Diagnosis(code, is_problem=True, message=message)


def _fine(code: str, message: str) -> Diagnosis:
    return Diagnosis(code, is_problem=False, message=message)


def _advice(failed: ProviderFailed) -> Said:
    if failed.code == "provider_refuses_key":
        return said("Check STRIPE_SECRET_KEY in the Stripe dashboard under Developers, API keys.")
    return said("Check the network, and STRIPE_API_BASE if it is set.")


def _judge_endpoints(endpoints: list[dict[str, Any]], settings: Settings) -> list[Diagnosis]:
    url = f"{settings.public_url}/stripe/webhook"
    ours = next((endpoint for endpoint in endpoints if endpoint.get("url") == url), None)
    if ours is None:
        words = said("Stripe has no webhook endpoint for %(url)s, so no payment will be seen.", url=url)
        return [_problem("webhook_missing", words)]
    findings = []
    if ours.get("status") != "enabled":
        words = said("The webhook endpoint for %(url)s is switched off at Stripe.", url=url)
        findings.append(_problem("webhook_disabled", words))
    if bool(ours.get("livemode")) is not settings.is_live:
        findings.append(_problem("webhook_mode", said("The webhook endpoint is for the other mode (live or test).")))
    if ours.get("api_version") not in {API_VERSION, None}:
        theirs = str(ours["api_version"])
        words = said("The endpoint speaks %(theirs)s; set it to %(ours)s.", theirs=theirs, ours=API_VERSION)
        findings.append(_problem("webhook_version", words))
    wanted = set(ours.get("enabled_events") or ())
    missing = sorted(set(EVENTS) - wanted) if "*" not in wanted else []
    if missing:
        words = said("The endpoint does not send: %(events)s.", events=", ".join(missing))
        findings.append(_problem("webhook_events", words))
    return findings or [_fine("webhook", said("Stripe sends its notices to %(url)s.", url=url))]


def _judge_clock(response: Any, now: datetime) -> list[Diagnosis]:
    headers = {str(key).lower(): value for key, value in dict(getattr(response, "headers", None) or {}).items()}
    if "date" not in headers:
        return []
    skew = round((now - parsedate_to_datetime(headers["date"])).total_seconds())
    if abs(skew) > MOST_SKEW_SECONDS:
        ahead = said("This machine's clock is %(n)s seconds ahead of Stripe's.", n=skew)
        behind = said("This machine's clock is %(n)s seconds behind Stripe's.", n=-skew)
        return [_problem("clock_skew", ahead if skew > 0 else behind)]
    return [_fine("clock", said("This machine's clock agrees with Stripe's."))]

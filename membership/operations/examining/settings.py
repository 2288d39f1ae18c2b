"""What can be said about the settings alone, before anything is asked of anybody."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from membership.config import DEMO_SECRET_MARK, LOOPBACK_HOSTS, Settings, SettingsRefused
from membership.kernel.said import said
from membership.operations.examining.finding import Finding, fine, note, problem

# A random secret of 32 characters has more different ones than this in all but one of a billion draws.
FEWEST_SIGNS = 10
SPECIMENS = ("change", "secret", "example", "password", "default", "123456")
MAKE_NEW = said("Make a new one with: openssl rand -base64 36")


def examine(environ: Mapping[str, str] | None = None) -> tuple[Settings | None, list[Finding]]:
    """The settings of this environment, None where they are refused, and every finding about them."""
    try:
        known = Settings.from_env(environ)
    except SettingsRefused as refused:
        return None, [_refused(fault) for fault in refused.faults]
    return known, [fine("settings", said("The settings can be used.")), *judge(known)]


def judge(known: Settings) -> Iterator[Finding]:
    """Every finding about settings that can be used."""
    yield from _secrets(known)
    yield from _modes(known)


def _refused(fault: str) -> Finding:
    return problem(
        "settings",
        fault.rstrip(".") + ".",
        said("Web server and worker refuse to start."),
        said("Set it in the environment of web server and worker, and run the doctor again."),
    )


def _secrets(known: Settings) -> Iterator[Finding]:
    why = said("Whoever guesses it can sign in as any member.")
    secret = known.secret_key.get_secret_value()
    if secret.startswith(DEMO_SECRET_MARK):
        mend = said(
            "Make a new one with: openssl rand -base64 36 (and unset DEMO before readers come).",
        )
        yield note("secret_key", said("SECRET_KEY was made for the demo."), why, mend)
    elif len(set(secret)) < FEWEST_SIGNS or any(word in secret.lower() for word in SPECIMENS):
        what = said("SECRET_KEY looks like a specimen, not like a random secret.")
        yield problem("secret_key", what, why, MAKE_NEW)
    for webhook_secret in known.stripe_webhook_secret:
        rest = webhook_secret.get_secret_value().removeprefix("whsec_")
        if len(set(rest)) < FEWEST_SIGNS or any(word in rest.lower() for word in SPECIMENS):
            yield problem(
                "webhook_secret",
                said("STRIPE_WEBHOOK_SECRET looks like a specimen, not like a secret from Stripe."),
                said("Notices of payments are refused, or anybody can forge them."),
                said("Copy the signing secret of the webhook endpoint from the Stripe dashboard."),
            )
    if known.metrics_token is None and not known.demo:
        yield note(
            "metrics_token",
            said("METRICS_TOKEN is not set, so /metrics is closed."),
            said("Nobody is told when payments, notices or mails come to a halt."),
            said("Set METRICS_TOKEN, and let your Prometheus send it as a bearer token."),
        )


def _modes(known: Settings) -> Iterator[Finding]:
    is_public = urlsplit(known.public_url).hostname not in LOOPBACK_HOSTS
    if known.stripe_api_base and not known.demo:
        yield problem(
            "stripe_api_base",
            said("STRIPE_API_BASE is set outside the demo, so the key is sent to another address than Stripe's."),
            said("Readers would pay at a stand-in: no money moves."),
            said("Unset STRIPE_API_BASE."),
        )
    if not known.is_live and is_public:
        yield note(
            "stripe_mode",
            said("STRIPE_SECRET_KEY is a test key."),
            said("Everything works, but no real money moves."),
            said("Set the live key, and the signing secret of the live webhook endpoint, when you open."),
        )
    if known.is_live and not is_public:
        yield problem(
            "stripe_mode",
            said("STRIPE_SECRET_KEY is a live key, and PUBLIC_URL is this machine only."),
            said("Real money would move, and Stripe could not tell us of it."),
            said("Set PUBLIC_URL to the address that readers use, or take a test key."),
        )
    if not known.rate_limits:
        yield problem(
            "rate_limits",
            said("RATE_LIMITS is off."),
            said("Thieves could try out stolen cards here, and anybody could send mails without end."),
            said("Unset RATE_LIMITS."),
        )

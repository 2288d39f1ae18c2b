"""What can be said about the settings alone, before anything is asked of anybody."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from membership.cli.doctor.finding import Finding, fine, note, problem
from membership.config import DEMO_SECRET_MARK, LOOPBACK_HOSTS, Settings, SettingsRefused

# A random secret of 32 characters has more different ones than this in all but one of a billion draws.
FEWEST_SIGNS = 10
SPECIMENS = ("change", "secret", "example", "password", "default", "123456")
MAKE_NEW = "Make a new one with: openssl rand -base64 36"


def examine(environ: Mapping[str, str] | None = None) -> tuple[Settings | None, list[Finding]]:
    """The settings of this environment, None where they are refused, and every finding about them."""
    try:
        known = Settings.from_env(environ)
    except SettingsRefused as refused:
        return None, [_refused(fault) for fault in refused.faults]
    return known, [fine("settings", "The settings can be used."), *_secrets(known), *_modes(known)]


def _refused(fault: str) -> Finding:
    return problem(
        "settings",
        fault.rstrip(".") + ".",
        "Web server and worker refuse to start.",
        "Set it in the environment of web server and worker, and run the doctor again.",
    )


def _secrets(known: Settings) -> Iterator[Finding]:
    why = "Whoever guesses it can sign in as any member."
    secret = known.secret_key.get_secret_value()
    if secret.startswith(DEMO_SECRET_MARK):
        mend = f"{MAKE_NEW} (and unset DEMO before readers come)."
        yield note("secret_key", "SECRET_KEY was made for the demo.", why, mend)
    elif len(set(secret)) < FEWEST_SIGNS or any(word in secret.lower() for word in SPECIMENS):
        yield problem("secret_key", "SECRET_KEY looks like a specimen, not like a random secret.", why, MAKE_NEW)
    for webhook_secret in known.stripe_webhook_secret:
        rest = webhook_secret.get_secret_value().removeprefix("whsec_")
        if len(set(rest)) < FEWEST_SIGNS or any(word in rest.lower() for word in SPECIMENS):
            yield problem(
                "webhook_secret",
                "STRIPE_WEBHOOK_SECRET looks like a specimen, not like a secret from Stripe.",
                "Notices of payments are refused, or anybody can forge them.",
                "Copy the signing secret of the webhook endpoint from the Stripe dashboard.",
            )
    if known.metrics_token is None and not known.demo:
        yield note(
            "metrics_token",
            "METRICS_TOKEN is not set, so /metrics is closed.",
            "Nobody is told when payments, notices or mails come to a halt.",
            "Set METRICS_TOKEN, and let your Prometheus send it as a bearer token.",
        )


def _modes(known: Settings) -> Iterator[Finding]:
    is_public = urlsplit(known.public_url).hostname not in LOOPBACK_HOSTS
    if known.stripe_api_base and not known.demo:
        yield problem(
            "stripe_api_base",
            "STRIPE_API_BASE is set outside the demo, so the key is sent to another address than Stripe's.",
            "Readers would pay at a stand-in: no money moves.",
            "Unset STRIPE_API_BASE.",
        )
    if not known.is_live and is_public:
        yield note(
            "stripe_mode",
            "STRIPE_SECRET_KEY is a test key.",
            "Everything works, but no real money moves.",
            "Set the live key, and the signing secret of the live webhook endpoint, when you open.",
        )
    if known.is_live and not is_public:
        yield problem(
            "stripe_mode",
            "STRIPE_SECRET_KEY is a live key, and PUBLIC_URL is this machine only.",
            "Real money would move, and Stripe could not tell us of it.",
            "Set PUBLIC_URL to the address that readers use, or take a test key.",
        )
    if not known.rate_limits:
        yield problem(
            "rate_limits",
            "RATE_LIMITS is off.",
            "Thieves could try out stolen cards here, and anybody could send mails without end.",
            "Unset RATE_LIMITS.",
        )

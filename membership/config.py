"""Settings: frozen, typed, read from the environment once. The only reader of `os.environ`.

Every fault is reported at once, in words (`SettingsRefused.faults`), so that nobody mends them one start at
a time. One setting per behaviour; nothing asks "is this production?".
"""

import json
import os
import re
import secrets
from collections.abc import Collection, Mapping
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from stdnum import bic, iban
from stdnum.exceptions import ValidationError as WrongNumber

from membership.kernel.money import MINOR_DIGITS
from membership.kernel.origins import canonical_origin

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
MIN_SECRET_LENGTH = 32
UNSET_WEBHOOK_SECRET = f"whsec_{secrets.token_urlsafe(24)}"
"""Stands in for STRIPE_WEBHOOK_SECRET until `membership setup stripe` has made the endpoint that has one. Nobody knows
it, and it is another one in each process.
"""
CRYPTO_ADDRESS = re.compile(r"[A-Za-z0-9:._-]{10,128}")
DEMO_SECRET_MARK = "demo-only-"  # noqa: S105 - a mark that gives a demo secret away, no secret


class SettingsRefused(Exception):  # noqa: N818 - reads as a sentence
    """The environment cannot be used. `faults` lists all of them, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings cannot be used:\n" + "\n".join(f"  * {fault}" for fault in faults))
        self.faults = faults


class Settings(BaseModel):
    """Everything that may differ between two installations. Secrets are masked in repr."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str = Field(
        description="Where readers find this site, without a path, such as https://join.example.org"
    )
    secret_key: SecretStr = Field(description="Signs cookies and keys digests; 32 characters or more, random")
    database_url: str = "sqlite:///var/membership.db"
    redis_url: str | None = None
    queue_path: str | None = Field(None, description="huey's SQLite file; beside the database by default")
    keys_path: str | None = Field(
        None, description="Folder of the keys of open polls, on no backup; beside the database by default"
    )

    stripe_secret_key: SecretStr
    stripe_webhook_secret: tuple[SecretStr, ...] = Field(min_length=1)
    stripe_api_base: str | None = Field(None, description="Set only for the sandbox: its address")
    stripe_product_id: str = "prod_reader_support"
    stripe_calls_per_second: int = Field(80, ge=1)
    stripe_calls_per_endpoint: int = Field(20, ge=1)

    smtp_url: str = "smtp://127.0.0.1:25"
    mail_from: str = Field(description="The sender of every mail, such as Newsroom <support@example.org>")

    site_origins: tuple[str, ...] = Field(
        default=(), description="The newsroom's own sites, as https://www.example.org,https://example.org"
    )

    patron_hint_domain: str | None = Field(
        None, description="The domain of the newsroom's site and of PUBLIC_URL, where a browser may say that its reader"
        " is a patron, such as example.org; not set: readers are not asked",
    )  # fmt: skip

    newsroom_name: str = Field(min_length=1, max_length=80)
    contact_address: str | None = Field(None, description="Where readers write to; shown on pages and in mails")
    newsroom_zone: str = Field("Europe/Kyiv", description="The newsroom's time zone, in which polls open and close")
    reporting_currency: str = "EUR"
    cup_prices: dict[str, int] = Field(
        default={"EUR": 400, "USD": 500, "GBP": 400, "UAH": 10000},
        description="Price of one cup per currency in minor units, as EUR=400,USD=500",
    )
    once_minimums: dict[str, int] = Field(
        default={"EUR": 100, "USD": 100, "GBP": 100, "UAH": 5000},
        description="Smallest one-time gift per currency in minor units (the payment company's own minimum or more)",
    )
    fee_permille: int = Field(15, ge=0, le=200, description="The card fee that a giver may cover: thousandths")
    fee_fixed: dict[str, int] = Field(
        default={"EUR": 25, "USD": 30, "GBP": 20, "UAH": 1200},
        description="The fixed part of that fee per currency in minor units",
    )
    goal_patrons: int = Field(500, ge=1, description="The goal on the front page: patrons")
    grace_days: int = Field(14, ge=0, le=60)
    fraud_refund_below: dict[str, int] = Field(
        default={},
        description="Payments below this (per currency, minor units) go back by themselves when a bank warns of fraud",
    )

    bank_iban: str | None = Field(None, description="The account for bank transfers; not set: that way is not offered")
    bank_holder: str | None = Field(None, max_length=70, description="Whose account it is, as the bank knows it")
    bank_bic: str | None = Field(None, description="The BIC of that bank, for transfers from outside the EEA")
    bank_name: str | None = Field(None, max_length=80, description="The name of that bank, as givers know it")
    paypal_link: str | None = Field(None, description="Where PayPal takes gifts, such as https://paypal.me/newsroom")
    crypto_addresses: dict[str, str] = Field(
        default={}, description="Addresses per currency, as Bitcoin=bc1…,Ethereum=0x…; in this order on the page"
    )
    cash_words: str | None = Field(None, max_length=600, description="How cash reaches the newsroom, in its own words")
    book_certain_transfers: bool = Field(
        default=True, description="Lines of a statement with our code or a known account are booked without asking"
    )

    embeds: tuple[Literal["goal", "poll", "stories", "badge", "corrections", "appeal"], ...] = Field(
        default=("goal", "poll", "stories", "badge", "corrections", "appeal"),
        description="What may stand on the newsroom's own article pages, as goal,poll; or none",
    )

    appeal_views_one_of: int = Field(1, ge=1, le=100, description="Browsers tell of one view of an appeal in so many")
    embeds_kept_seconds: int = Field(15, ge=0, description="So long a process answers with the public file it has made")

    rates_ecb_url: str | None = Field(None, description="Where the ECB's rates of the day are; not set: never asked")
    rates_nbu_url: str | None = Field(None, description="Where the NBU's rates of the day are; not set: never asked")

    second_owner_approves: bool = Field(
        default=True,
        description="Where there are two owners, what would lock one out waits until a second one agrees (decision 27)",
    )

    demo: bool = Field(default=False, description="Serves /demo/*, reads the movable clock, shows mail")
    demo_mailbox: str | None = Field(None, description="Maildir that /demo/mail shows")
    trusted_proxies: int = Field(0, ge=0, le=5, description="How many proxies in front set X-Forwarded-*")
    signin_links_per_hour: int = Field(100, ge=1, description="Per address of origin (decision 25)")
    checkouts_per_minute: int = Field(30, ge=1, description="In total, before the provider is asked")
    rate_limits: bool = Field(default=True, description="Off only for benches")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_token: SecretStr | None = Field(None, description="If set, /metrics asks for it as a bearer token")
    fault_at: str | None = Field(None, description="Tests only: die at this labelled point")

    @field_validator("stripe_webhook_secret", mode="before")
    @classmethod
    def _split_secrets(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("embeds", "site_origins", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part for each in value.split(",") if (part := each.strip()) not in {"", "none"})

    @field_validator("site_origins")
    @classmethod
    def _known_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        origins = [canonical_origin(each) for each in value]
        if None in origins:
            raise ValueError("must name sites without a path, such as https://www.example.org,https://example.org")
        return tuple(dict.fromkeys(each for each in origins if each))

    @field_validator("cup_prices", "once_minimums", "fee_fixed", "fraud_refund_below", mode="before")
    @classmethod
    def _read_prices(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("{"):
            return json.loads(value)
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        return {name.strip().upper(): price.strip() for name, _, price in pairs}

    @field_validator("crypto_addresses", mode="before")
    @classmethod
    def _read_addresses(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        return {name.strip(): address.strip() for name, _, address in pairs}

    @field_validator("crypto_addresses")
    @classmethod
    def _whole_addresses(cls, value: dict[str, str]) -> dict[str, str]:
        for name, address in value.items():
            if not name or not CRYPTO_ADDRESS.fullmatch(address):
                raise ValueError("must look like Bitcoin=bc1…,Ethereum=0x…: a name and an address without spaces each")
        return value

    @field_validator("bank_iban", "bank_bic")
    @classmethod
    def _right_number(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        try:
            return iban.validate(value) if info.field_name == "bank_iban" else bic.validate(value)
        except WrongNumber as error:
            raise ValueError(f"is not right ({type(error).__name__}): {value!r}; copy it from a statement") from None

    @field_validator("contact_address")
    @classmethod
    def _mail_address(cls, value: str | None) -> str | None:
        try:
            return value and validate_email(value, check_deliverability=False, allow_smtputf8=False).normalized
        except EmailNotValidError:
            raise ValueError("must be an e-mail address, such as hello@example.org") from None

    @field_validator("paypal_link")
    @classmethod
    def _secure_link(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme != "https" or not urlsplit(value).hostname):
            raise ValueError("must be an address that begins with https://")
        return value

    @field_validator("rates_ecb_url", "rates_nbu_url")
    @classmethod
    def _safe_address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://bank")
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS):
            raise ValueError("must be an address that begins with https://")
        return value

    @model_validator(mode="after")
    def _whole_account(self) -> Self:
        if (self.bank_iban is None) != (self.bank_holder is None):
            raise ValueError("BANK_IBAN and BANK_HOLDER belong together: set both, or neither")
        if self.bank_iban is None and (self.bank_bic or self.bank_name):
            raise ValueError("BANK_BIC and BANK_NAME say more about BANK_IBAN, which is missing")
        return self

    @field_validator("cup_prices")
    @classmethod
    def _known_currencies(cls, value: dict[str, int]) -> dict[str, int]:
        unknown = sorted(set(value) - set(MINOR_DIGITS))
        if unknown:
            raise ValueError(f"unknown currency {', '.join(unknown)}")
        if not value or min(value.values()) <= 0:
            raise ValueError("every cup needs a price above zero")
        return value

    @model_validator(mode="after")
    def _complete_prices(self) -> Self:
        for name, table in (("ONCE_MINIMUMS", self.once_minimums), ("FEE_FIXED", self.fee_fixed)):
            missing = sorted(set(self.cup_prices) - set(table))
            if missing:
                raise ValueError(f"{name} has no entry for {', '.join(missing)}, which CUP_PRICES offers")
        return self

    @field_validator("public_url")
    @classmethod
    def _whole_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError("must be an address such as https://join.example.org, without a path")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            raise ValueError("must begin with https:// (http only on this machine, for the demo)")
        return value.rstrip("/")

    @field_validator("newsroom_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must name a time zone of this machine, such as Europe/Kyiv") from None
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_secret(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError(f"must have {MIN_SECRET_LENGTH} characters or more; try: {secrets.token_urlsafe(32)}")
        return value

    @field_validator("database_url")
    @classmethod
    def _driver(cls, value: str) -> str:
        for scheme in ("postgresql://", "postgres://"):
            if value.startswith(scheme):
                return "postgresql+psycopg://" + value.removeprefix(scheme)
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("stripe_secret_key")
    @classmethod
    def _stripe_key(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("sk_test_", "rk_test_", "sk_live_", "rk_live_")):
            raise ValueError("must begin with sk_test_, rk_test_, sk_live_ or rk_live_")
        return value

    @field_validator("stripe_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(not secret.get_secret_value().startswith("whsec_") for secret in value):
            raise ValueError("every webhook secret begins with whsec_")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"smtp", "smtps"} or not urlsplit(value).hostname:
            raise ValueError("must look like smtp://user:password@host:587 or smtps://host:465")
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.reporting_currency not in self.cup_prices:
            raise ValueError("REPORTING_CURRENCY must be one of the currencies in CUP_PRICES")
        faults = _contradictions(
            stripe_key=self.stripe_secret_key.get_secret_value(),
            has_sandbox=bool(self.stripe_api_base),
            is_demo=self.demo,
            public_url=self.public_url,
            secret_key=self.secret_key.get_secret_value(),
        )
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, unset: Mapping[str, str] | None = None
    ) -> "Settings":
        """Read the environment; raises SettingsRefused with every fault at once.

        `unset` stands in for what the environment leaves out, for commands that are run before it is known.
        """
        environ = {**(unset or {}), **(os.environ if environ is None else environ)}
        values = {name: environ[name.upper()] for name in cls.model_fields if environ.get(name.upper())}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = [_in_words(fault) for fault in error.errors()]
            is_demo = values.get("demo", "").strip().lower() in {"1", "true", "yes", "on", "t", "y"}
            contradictions = _contradictions(
                stripe_key=values.get("stripe_secret_key", ""),
                has_sandbox="stripe_api_base" in values,
                is_demo=is_demo,
                public_url=values.get("public_url", ""),
                secret_key=values.get("secret_key", ""),
            )
            known = "\n".join(faults)
            raise SettingsRefused(faults + [fault for fault in contradictions if fault not in known]) from None

    @model_validator(mode="after")
    def _our_own_domain(self) -> Self:
        """A browser takes a cookie for a domain only from a host within it."""
        domain, host = self.patron_hint_domain, urlsplit(self.public_url).hostname or ""
        if domain is not None and host != domain and not ("." in domain and host.endswith(f".{domain}")):
            raise ValueError(f"PATRON_HINT_DOMAIN must be a domain that {host} lies in")
        return self

    @property
    def is_live(self) -> bool:
        """Whether the Stripe key moves real money."""
        return is_live_key(self.stripe_secret_key.get_secret_value())

    @property
    def is_secure(self) -> bool:
        """Whether readers come over https, so that cookies may carry the `__Host-` prefix."""
        return self.public_url.startswith("https://")

    @property
    def cookie_prefix(self) -> str:
        """`__Host-` wherever a browser accepts it; browsers refuse the prefix over plain http."""
        return "__Host-" if self.is_secure else ""


def is_live_key(stripe_key: str) -> bool:
    """Whether this Stripe key moves real money."""
    return "_live_" in stripe_key[:8]


def child_environment(settings: Mapping[str, str], keep: Collection[str] = ()) -> dict[str, str]:
    """The environment for a process that we start: this one's, but of our own settings only those given.

    `settings` are names and values as the environment has them; `keep` names those that are passed on as they are.
    """
    dropped = {name.upper() for name in Settings.model_fields} - set(keep)
    return {name: value for name, value in os.environ.items() if name not in dropped} | dict(settings)


def _contradictions(
    *, stripe_key: str, has_sandbox: bool, is_demo: bool, public_url: str, secret_key: str
) -> list[str]:
    """What each setting alone may be, and all of them together may not."""
    faults = []
    if is_live_key(stripe_key) and (has_sandbox or is_demo):
        faults.append(
            "STRIPE_SECRET_KEY is a live key, but STRIPE_API_BASE or DEMO is set: "
            "real money never goes through the sandbox or the demo. Use a test key, or unset the others"
        )
    if not is_demo and secret_key.startswith(DEMO_SECRET_MARK):
        faults.append("SECRET_KEY is the demo's; make your own with: openssl rand -base64 36")
    if is_demo and public_url and urlsplit(public_url).hostname not in LOOPBACK_HOSTS:
        faults.append(
            "DEMO shows every mail to everybody, so it needs a PUBLIC_URL on this machine, such as http://127.0.0.1:8000"
        )
    return faults


def _in_words(fault: Any) -> str:
    name = str(fault["loc"][0]).upper() if fault["loc"] else ""
    if fault["type"] == "missing":
        described = Settings.model_fields[str(fault["loc"][0])].description
        return f"{name} is missing" + (f" ({described})" if described else "")
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{name}: {message}" if name else message

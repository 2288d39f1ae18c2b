import pytest

from membership.config import Settings, SettingsRefused

GOOD = {
    "PUBLIC_URL": "https://join.example.org",
    "SECRET_KEY": "x" * 40,
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1, whsec_2",
    "MAIL_FROM": "support@example.org",
    "NEWSROOM_NAME": "The Harbour Post",
}


def faults_of(**changes):
    with pytest.raises(SettingsRefused) as refusal:
        Settings.from_env({**GOOD, **changes})
    return "\n".join(refusal.value.faults)


def test_every_missing_setting_is_named_at_once():
    with pytest.raises(SettingsRefused) as refusal:
        Settings.from_env({})
    text = "\n".join(refusal.value.faults)
    assert all(name in text for name in GOOD)


def test_every_malformed_setting_is_named_at_once():
    text = faults_of(SECRET_KEY="short", DATABASE_URL="mysql://x", SMTP_URL="ftp://x", CUP_PRICES="EUR=0")
    assert all(name in text for name in ("SECRET_KEY", "DATABASE_URL", "SMTP_URL", "CUP_PRICES"))


def test_a_live_key_beside_the_sandbox_is_refused():
    text = faults_of(STRIPE_SECRET_KEY="sk_live_1", STRIPE_API_BASE="http://127.0.0.1:9000")
    assert "live key" in text


def test_the_demo_secret_is_refused_outside_the_demo():
    assert "SECRET_KEY" in faults_of(SECRET_KEY="demo-only-" + "x" * 40)


def test_plain_http_is_refused_for_a_public_address():
    assert "https://" in faults_of(PUBLIC_URL="http://join.example.org")


def test_a_currency_without_its_minimum_is_named():
    assert "ONCE_MINIMUMS" in faults_of(CUP_PRICES="EUR=400,PLN=1500")


def test_prices_and_several_webhook_secrets_are_read():
    settings = Settings.from_env({**GOOD, "CUP_PRICES": "EUR=350, USD=400"})
    assert settings.cup_prices == {"EUR": 350, "USD": 400}
    assert [secret.get_secret_value() for secret in settings.stripe_webhook_secret] == ["whsec_1", "whsec_2"]


def test_secrets_are_masked():
    shown = repr(Settings.from_env(GOOD))
    assert "x" * 40 not in shown
    assert "sk_test_1" not in shown


def test_the_demo_is_refused_at_a_public_address():
    assert "DEMO" in faults_of(DEMO="true")


def test_contradictions_are_listed_beside_what_is_missing():
    text = faults_of(MAIL_FROM="", STRIPE_SECRET_KEY="rk_live_1", DEMO="1")
    assert "MAIL_FROM" in text
    assert "live key" in text
    assert "PUBLIC_URL on this machine" in text


def test_a_bank_account_is_checked_digit_by_digit_and_is_whole():
    account = {"BANK_IBAN": "DE89 3704 0044 0532 0130 00", "BANK_HOLDER": "The Harbour Post", "BANK_BIC": "COBADEFFXXX"}
    assert Settings.from_env({**GOOD, **account}).bank_iban == "DE89370400440532013000"
    assert "BANK_IBAN: is not right" in faults_of(**account | {"BANK_IBAN": "DE88370400440532013000"})
    assert "BANK_BIC: is not right" in faults_of(**account | {"BANK_BIC": "COBA"})
    assert "belong together" in faults_of(BANK_IBAN="DE89370400440532013000")
    assert "which is missing" in faults_of(BANK_BIC="COBADEFFXXX")


def test_addresses_of_other_ways_are_checked():
    known = Settings.from_env({**GOOD, "CRYPTO_ADDRESSES": "Bitcoin=bc1qharbourpost7x0, Ethereum=0xAbCdEf0123456789"})
    assert known.crypto_addresses == {"Bitcoin": "bc1qharbourpost7x0", "Ethereum": "0xAbCdEf0123456789"}
    assert "CRYPTO_ADDRESSES" in faults_of(CRYPTO_ADDRESSES="Bitcoin")
    assert "begins with https://" in faults_of(PAYPAL_LINK="http://paypal.me/harbour")


def test_the_newsrooms_own_sites_are_origins_in_one_spelling():
    settings = Settings.from_env(
        {**GOOD, "SITE_ORIGINS": " https://WWW.Example.org/ , https://example.org:443,https://example.org"}
    )
    assert settings.site_origins == ("https://www.example.org", "https://example.org")
    assert Settings.from_env(GOOD).site_origins == ()
    for wrong in ("example.org", "https://example.org/news", "*", "null", "https://me@example.org"):
        assert "SITE_ORIGINS: must name sites" in faults_of(SITE_ORIGINS=wrong)

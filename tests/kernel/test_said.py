"""A sentence can be printed, kept as JSON, and said again in another language."""

import json
from datetime import UTC, datetime

from flask_babel import force_locale

from membership.kernel.said import packed, said
from membership.web.filters import in_words

AT = datetime(2026, 11, 30, 7, 5, tzinfo=UTC)


def test_it_is_plain_english_to_whoever_prints_it():
    sentence = said("No worker is running; the last was seen %(at)s.", at=AT)
    assert sentence == "No worker is running; the last was seen 30 November 07:05 UTC."
    assert said("100 % of them") == "100 % of them"


def test_a_page_says_it_in_its_own_language(app):
    """«Голосування» is how the catalogue translates "Polls"."""
    inner = said("Polls")
    kept = json.loads(json.dumps(packed(said("%(what)s: %(n)s, since %(at)s", what=inner, n=3, at=AT))))
    with app.test_request_context("/"):
        assert in_words(kept) == "Polls: 3, since November 30, 2026, 09:05 EET"
        with force_locale("uk"):
            assert in_words(kept) == "Голосування: 3, since 30 листопада 2026, 09:05 EET"


def test_a_text_that_was_never_taken_apart_stays_as_it_is(app):
    with app.test_request_context("/"):
        assert in_words(json.loads(json.dumps(packed("A folder is 100% full (%s).")))) == "A folder is 100% full (%s)."

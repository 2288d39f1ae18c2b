"""A batch is read to the letter, or it is none."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from membership.appeals.rules.batches import (
    LARGEST_BATCH,
    MOST_EVENTS,
    MOST_WEIGHT,
    Batch,
    Event,
    Told,
    is_program,
    read_batch,
)
from membership.kernel.errors import InvalidInput
from tests.factories.counts import APPEAL, a_body

NAME = "AbcdefghijklmnopqrstuV"
VIEW = ["view", APPEAL, "a", 1]


def read(body) -> Batch:
    return read_batch(body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_batch_is_its_name_its_article_and_its_events():
    body = a_body(
        VIEW, ["withheld", APPEAL, "-", MOST_WEIGHT], ["click", APPEAL, "d", 2], article="anything", batch=NAME
    )
    told = (
        Told(Event.VIEW, APPEAL, "a", 1),
        Told(Event.WITHHELD, APPEAL, "-", MOST_WEIGHT),
        Told(Event.CLICK, APPEAL, "d", 2),
    )
    assert read(body) == Batch(NAME, "anything", told)


@pytest.mark.parametrize(
    "event",
    [
        None, 1, "view", {}, [], ["view"], VIEW[:3], [*VIEW, 1], ["View", *VIEW[1:]], ["bought", *VIEW[1:]],
        [None, *VIEW[1:]], [["view"], *VIEW[1:]], ["view", APPEAL.upper(), "a", 1], ["view", APPEAL[:-1], "a", 1],
        ["view", APPEAL + "0", "a", 1], ["view", APPEAL + "\n", "a", 1], ["view", "con" + APPEAL[3:], "a", 1],
        ["view", APPEAL, "e", 1], ["view", APPEAL, "", 1], ["view", APPEAL, "aa", 1], ["view", APPEAL, None, 1],
        ["view", APPEAL, "a", 0], ["view", APPEAL, "a", -1], ["view", APPEAL, "a", MOST_WEIGHT + 1],
        ["view", APPEAL, "a", 1.0], ["view", APPEAL, "a", True], ["view", APPEAL, "a", "1"],
        ["view", APPEAL, "a", None],
        ["view", APPEAL, "-", 1], ["click", APPEAL, "-", 1], ["withheld", APPEAL, "a", 1],
    ],
)  # fmt: skip
def test_one_event_that_is_none_makes_it_none(event):
    with pytest.raises(InvalidInput):
        read(a_body(VIEW) | {"events": [VIEW, event]})


@pytest.mark.parametrize(
    "change",
    [
        {"batch": ""}, {"batch": NAME[:-1]}, {"batch": NAME + "x"}, {"batch": NAME[:-1] + "="}, {"batch": None},
        {"batch": [NAME]}, {"batch": NAME + "\n"}, {"article": None}, {"article": ["x"]}, {"article": "x" * 2001},
        {"events": []}, {"events": [VIEW] * (MOST_EVENTS + 1)}, {"events": None}, {"events": {"0": VIEW}},
        {"reader": "me"},
    ],
)  # fmt: skip
def test_what_is_missing_too_much_or_of_another_kind_makes_it_none(change):
    with pytest.raises(InvalidInput):
        read(a_body() | change)


@pytest.mark.parametrize("key", ["batch", "article", "events"])
def test_every_key_is_there_once(key):
    body = a_body()
    with pytest.raises(InvalidInput):
        read({name: value for name, value in body.items() if name != key})
    with pytest.raises(InvalidInput):
        read((json.dumps(body)[:-1] + f', "{key}": {json.dumps(body[key])}}}').encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"1", b"NaN", b"\xff\xfe", b"[" * 8000, b'{"batch": NaN}', b'{"a": 1e999}',
     b"1" * 5000, b'"' + b"x" * LARGEST_BATCH + b'"'],
)  # fmt: skip
def test_what_is_no_such_object_is_none(raw):
    with pytest.raises(InvalidInput):
        read(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
events = st.lists(
    st.tuples(
        st.sampled_from(["view", "click", "close", "already", "withheld", "x", ""]) | json_values,
        st.sampled_from([APPEAL, "apl_", ""]) | json_values,
        st.sampled_from([*"abcd-e"]) | json_values,
        st.integers(-1, 1001) | json_values,
    ).map(list),
    max_size=MOST_EVENTS + 2,
)
bodies = st.fixed_dictionaries(
    {
        "batch": st.just(NAME) | json_values,
        "article": st.text(max_size=40) | json_values,
        "events": events | json_values,
    },
    optional={"more": json_values},
)


@given(bodies)
@example(a_body(VIEW))
def test_whatever_comes_is_a_batch_that_says_the_same_or_is_refused(body):
    raw = json.dumps(body).encode()
    try:
        batch = read_batch(raw)
    except InvalidInput:
        return
    said = [[told.event.value, told.appeal, told.variant, told.weight] for told in batch.events]
    assert body == {"batch": batch.batch_id, "article": batch.article, "events": said}
    assert len(raw) <= LARGEST_BATCH
    assert 1 <= len(said) <= MOST_EVENTS
    assert all(1 <= told.weight <= MOST_WEIGHT and len(told.variant) == 1 for told in batch.events)


@given(st.binary(max_size=200))
def test_bytes_that_nobody_meant_are_refused_and_break_nothing(raw):
    with pytest.raises(InvalidInput):
        read_batch(raw)


@pytest.mark.parametrize(
    "name",
    [None, "", "Googlebot/2.1 (+http://www.google.com/bot.html)", "Mozilla/5.0 (compatible; bingbot/2.0)",
     "facebookexternalhit/1.1", "Mozilla/5.0 HeadlessChrome/120.0", "UptimeMonitor", "Slackbot-LinkExpanding 1.0",
     "SkypeUriPreview", "python-requests/2.32", "curl/8.5", "TelegramBot (like TwitterBot)", "Baiduspider"],
)  # fmt: skip
def test_programs_are_known_by_their_names(name):
    assert is_program(name)


@pytest.mark.parametrize(
    "name",
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
     "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
     "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
     "Mozilla/5.0 (Linux; Android 14; CUBOT P80) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"],
)  # fmt: skip
def test_people_are_not(name):
    assert not is_program(name)

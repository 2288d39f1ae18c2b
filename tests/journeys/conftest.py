"""A running demo, a browser, and readers who meet there."""

import os
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys.demo import Demo
from tests.journeys.reader import Reader

LOCALES = {"en": "en-GB", "uk": "uk-UA"}
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Iterator[Demo]:
    """One demo per test process. All readers come from one address, so the limits are off."""
    demo = Demo(tmp_path_factory.mktemp("demo"), RATE_LIMITS="false")
    try:
        demo.wait()
        yield demo
        demo.check_books()
    finally:
        demo.end()


@pytest.fixture
def own_demo(tmp_path) -> Iterator[Demo]:
    """A demo as it is on its first day, whose clock nobody else moves."""
    demo = Demo(tmp_path, RATE_LIMITS="false")
    try:
        demo.wait()
        yield demo
        demo.check_books()
    finally:
        demo.end()


@pytest.fixture
def new_reader(request, chromium) -> Iterator[Callable[..., Reader]]:
    """Makes readers, each with a browser of their own: `new_reader("uk", has_scripts=False)`."""
    readers = []

    def _new(language="en", *, has_scripts=True, house=None, **options) -> Reader:
        house = house or request.getfixturevalue("demo")
        options = {"locale": LOCALES[language], "viewport": {"width": 360, "height": 740}} | options
        context = chromium.new_context(java_script_enabled=has_scripts, **options)
        context.set_default_timeout(20_000)
        readers.append(Reader(context, house, language, has_scripts=has_scripts))
        return readers[-1]

    yield _new
    for reader in readers:
        reader.context.close()
    assert [reader.troubles for reader in readers if reader.troubles] == []


@pytest.fixture
def reader(new_reader) -> Reader:
    return new_reader()


_names: Counter[str] = Counter()


@pytest.fixture
def fresh_email(request) -> Callable[..., str]:
    """Makes an address that nobody has used yet."""

    def _new(name="reader") -> str:
        _names[name] += 1
        return f"{name}.{_names[name]}.{os.getpid()}@example.org"

    return _new


@pytest.fixture
def email(fresh_email) -> str:
    return fresh_email()

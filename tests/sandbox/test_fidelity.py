"""Requests recorded against Stripe's test mode are sent to the sandbox, and its answers held against Stripe's.

The same status, the same kind of object, the same error, and the same fields with the same kinds of values, but for the
differences in `fidelity/versions.py`. `STRIPE_EXCHANGES=folder` replays other recordings of the same form.
"""

import json

import pytest
import stripe

from membership.sandbox.app import create_sandbox
from membership.sandbox.protocol import shapes
from tests.sandbox.fidelity import compare, coverage, recordings, versions
from tests.sandbox.fidelity.replay import Replay

pytestmark = pytest.mark.skipif(
    not recordings.FOLDER.is_dir(), reason=f"The recorded exchanges are not here: {recordings.FOLDER}"
)


@pytest.fixture(scope="module")
def everything():
    """Every recorded object by its id: what one recording takes for granted, another may show."""
    found = {}
    for path in recordings.files():
        for exchange in recordings.read(path):
            for one in recordings.objects(exchange.answer):
                found.setdefault(one["id"], one)
    return found


@pytest.fixture(scope="module")
def sandbox():
    box = create_sandbox()
    yield box
    box.close()


def wrong(exchange, status, answer):
    """What is wrong with an answer, as sentences."""
    if status != exchange.status:
        return [f"{status} instead of {exchange.status}: {json.dumps(answer)[:300]}"]
    found = [f"{fault} (the SDK's annotations)" for fault in shapes.findings(answer)]
    if "error" in exchange.answer:
        for name in ("type", "code", "decline_code", "param"):
            theirs, ours = (each["error"].get(name) for each in (exchange.answer, answer))
            found += [f"{name} is {ours!r} instead of {theirs!r}"] if theirs != ours else []
    found += [
        f"{place} {what}"
        for place, what in compare.differences(exchange.answer, answer)
        if not versions.explained(place, what, exchange.version)
    ]
    return found


@pytest.mark.parametrize("path", recordings.files() if recordings.FOLDER.is_dir() else [], ids=lambda path: path.stem)
def test_recorded_requests_are_answered_as_stripe_did(sandbox, everything, path):
    exchanges = recordings.read(path)
    replay = Replay(sandbox, exchanges, everything)
    found = []
    for exchange in exchanges:
        reason = coverage.not_covered(exchange, replay.known)
        status, answer = replay.ask(exchange)
        if reason is None:
            found += [f"{exchange}: {fault}" for fault in wrong(exchange, status, answer)]
    assert found == []


def test_nearly_all_of_the_recordings_are_covered(capsys):
    covered, reasons = 0, {}
    for path in recordings.files():
        known = set()
        for exchange in recordings.read(path):
            reason = coverage.not_covered(exchange, known)
            known |= {one["id"] for one in recordings.objects(exchange.answer)}
            if reason is None:
                covered += 1
            else:
                reasons.setdefault(reason, []).append(str(exchange))
    share = covered / (covered + sum(map(len, reasons.values())))
    with capsys.disabled():
        print(f"\n{covered} recorded exchanges are covered, {share:.1%} of all; not covered:")
        for reason, which in sorted(reasons.items()):
            print(f"  {len(which)} {reason}: {'; '.join(which)}")
    assert share > 0.9


@pytest.mark.parametrize("place", sorted(versions.ADDED))
def test_every_field_that_came_with_a_version_is_in_the_sdk(place):
    assert in_sdk(place)


@pytest.mark.parametrize("place", sorted(versions.NOT_IN_THE_SDK - {"list.total_count"}))
def test_every_field_left_out_is_unknown_to_the_sdk(place):
    assert not in_sdk(place)


def in_sdk(place):
    kind, *names = place.split(".")
    module, name = stripe._object_classes.OBJECT_CLASSES[kind]
    shape = getattr(__import__(module, fromlist=[name]), name)
    for part in names:
        if part not in shape.__annotations__:
            return False
        shape = shape._inner_class_types.get(part)
    return True

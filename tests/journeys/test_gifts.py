"""A membership for somebody else: bought by one, mailed on its day, redeemed by another, seen by the desk."""

import re
import subprocess
import sys
from datetime import timedelta

import pytest

from membership.kernel import clock
from tests.journeys.demo import until
from tests.journeys.inspection import faults_in_views

CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b")
GIVER, RECEIVER, DESK = "olena@example.org", "taras@example.org", "finance@example.org"


@pytest.fixture
def giver(own_demo, new_reader):
    return new_reader(house=own_demo)


def choose(reader, field, value):
    option = reader.page.locator(f"input[name={field}][value='{value}']")
    reader.page.click(f"label[for='{option.get_attribute('id')}']")


def looks_good(reader, name):
    assert faults_in_views(reader.page, name) == []


def sign_in_on_the_way(reader, email):
    n_before = len(reader.mails(email, "sign_in"))
    reader.page.fill("#email", email)
    reader.press("main form button")
    code = reader.code_for(email, n_before + 1)
    reader.open("/signin/sent")
    reader.page.fill("#code", code)
    reader.press("main form button")


def appoint(demo, email):
    words = [sys.executable, "-m", "membership.cli", "staff", "add", email, "--role", "finance"]
    subprocess.run(words, env=demo.environment(), cwd=demo.folder, check=True, timeout=60)


def buy(giver, **changes):
    giver.open("/gift")
    choose(giver, "cups", "2")
    choose(giver, "months", "6")
    typed = {"receiver_name": "Taras", "from_name": "Olena", "email": GIVER, "message": "Happy birthday!"} | changes
    for name, value in typed.items():
        giver.page.fill(f"#{name}", value)
    looks_good(giver, "gift")
    giver.press("form.gift button[type=submit]")
    giver.pay()
    giver.is_thanked()


def test_a_gift_is_bought_mailed_on_its_day_redeemed_and_seen_by_the_desk(own_demo, giver, new_reader):
    day = (clock.now() + timedelta(days=9)).date().isoformat()
    buy(giver, receiver_email=RECEIVER, send_on=day)
    giver.says("Your gift is paid", "for Taras", "Until then you can change to whom and when")
    looks_good(giver, "gift-thanks")
    assert giver.mails(RECEIVER, "gift") == []

    own_demo.advance(days=10)
    receiver = new_reader(house=own_demo)
    with own_demo.sweeping():
        letter = receiver.read_mail(RECEIVER, "gift")
    code = CODE.search(letter).group()
    assert "Happy birthday!" in letter
    assert "£" not in letter

    receiver.open(f"/gift/redeem/{code}")
    assert receiver.page.input_value("#code") == code
    looks_good(receiver, "gift-redeem")
    receiver.press("main form button[type=submit]")
    sign_in_on_the_way(receiver, RECEIVER)
    assert receiver.page.input_value("#code") == code
    receiver.press("main form button[type=submit]")
    receiver.says("The membership is yours", "given by Olena", "You are a patron until")
    looks_good(receiver, "gift-redeemed")
    receiver.open("/account")
    receiver.says("You are a patron until", "Somebody gave you this membership")

    until(lambda: giver.mails(GIVER, "redeemed"), 30, "word of the redeemed gift")
    giver.sign_in_by_code(GIVER)
    giver.open("/account/gifts")
    giver.says("6 months for Taras", "Redeemed on")
    looks_good(giver, "gift-mine")
    no_code_works_twice(new_reader(house=own_demo), code)
    the_desk_sees_it(new_reader(house=own_demo), own_demo)


def no_code_works_twice(thief, code):
    thief.open("/gift/redeem")
    thief.page.fill("#code", code)
    thief.press("main form button[type=submit]")
    sign_in_on_the_way(thief, "eve@example.org")
    thief.press("main form button[type=submit]")
    thief.says("This code does not work")


def the_desk_sees_it(desk, demo):
    appoint(demo, DESK)
    desk.open("/staff/people")
    sign_in_on_the_way(desk, DESK)
    desk.open("/staff/people?q=taras")
    looks_good(desk, "desk-people")
    desk.press("tbody a")
    desk.says("given by somebody", "Was given 6 months")
    looks_good(desk, "desk-person")
    desk.press("a[href$='/comp']")
    desk.page.fill("#reason", "Spoke at our evening")
    looks_good(desk, "desk-comp")
    desk.press("main form button[type=submit]")
    desk.says("Granted, and told by mail", "Spoke at our evening")
    desk.open("/staff/trouble")
    desk.says("No payment is failing")
    looks_good(desk, "desk-trouble")


def test_a_gift_by_hand_is_printed_and_given_to_nobody_twice(own_demo, giver):
    giver.open("/gift")
    choose(giver, "way", "hand")
    for name, value in {"receiver_name": "Taras", "from_name": "Olena", "email": GIVER}.items():
        giver.page.fill(f"#{name}", value)
    giver.press("form.gift button[type=submit]")
    giver.pay()
    giver.is_thanked()
    code = CODE.search(giver.page.locator("main").inner_text()).group()
    assert code in giver.read_mail(GIVER, "bought")
    giver.sign_in_by_code(GIVER)
    giver.open("/account/gifts")
    giver.press("h2 a")
    giver.says(code, "You hand it over yourself")
    looks_good(giver, "gift-given")
    giver.press("a[href$='/card']")
    giver.says(code, "For Taras", "From Olena")
    looks_good(giver, "gift-card")

"""An owner comes to the desk of a house that is no demo: passkey, app, recovery code, team, and a proof of it all."""

import pyotp
import pytest

from tests.journeys.colleague import Colleague
from tests.journeys.grown_house import GrownHouse

OWNER, EDITOR = "owner@example.org", "iryna@example.org"
# What stands in each mail, whatever its language.
INVITED, CHANGED, RESET = "/signin?next=staff", "/staff/factor/mine", "/staff/team"


@pytest.fixture
def house(tmp_path):
    house = GrownHouse(tmp_path)
    yield house
    house.end()


@pytest.mark.parametrize("language", ["en", "uk"])
def test_an_owner_sets_up_their_factors_and_runs_the_team(house, new_reader, language):
    house.run("staff", "add", OWNER, "--role", "owner", "--name", "Olena", "--locale", language)
    me = Colleague(new_reader(language, house=house), house, OWNER)
    codes, device = first_factor(me)
    passkey_again(me)
    app = app_beside_it(me)
    without_the_device(me, device, app, codes)
    invited(me, language)
    them = Colleague(new_reader(language, house=house), house, EDITOR)
    comes(them)
    another_role(me, them)
    reset(me, them)
    # All of it stands in the log, and the log proves itself.
    me.reader.open("/staff/audit")
    me.looks("audit log")
    me.reader.says("Works on the archive now", "Lost the phone; we spoke")
    house.run("audit", "verify", "--head", house.run("audit", "head").strip())
    assert me.faults + them.faults == []


def first_factor(me):
    """The mail alone opens nothing but the place where a factor is set up: a passkey, and recovery codes, once."""
    me.signs_in()
    assert me.path == "/staff/factor/mine"
    me.looks("first factor")
    me.reader.open("/staff/people")
    assert me.path == "/staff/factor/mine"
    device = me.has_a_device()
    me.reader.press("a[href$='/passkeys/new']")
    me.looks("new passkey")
    me.page.fill("#name", "Phone")
    me.reader.press("main form button")
    codes = me.page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    me.looks("recovery codes")
    me.reader.press("main a.button--primary")
    assert me.path == "/staff/people"  # where they wanted to go
    return codes, device


def passkey_again(me):
    """Who signs in once more is asked for the passkey, and it opens the desk."""
    me.reader.open("/staff/factor/mine")
    me.looks("my factors")
    me.signs_out()
    me.signs_in()
    assert me.path == "/staff/factor"
    me.looks("asked for a passkey")
    me.reader.press("form[data-passkey] button")
    assert me.path == "/staff"


def app_beside_it(me) -> pyotp.TOTP:
    """Set up by the letters that are shown for who cannot scan."""
    me.reader.open("/staff/factor/app")
    me.page.click("details.more summary")
    me.looks("set up an app")
    app = pyotp.TOTP(me.page.locator(".secret").inner_text().replace(" ", ""))
    me.page.fill("#code", me.code_of(app))
    me.reader.press("main form button")
    assert me.path == "/staff/factor/mine"
    return app


def without_the_device(me, device, app, codes):
    """A wrong code, the app's code; then a recovery code."""
    tools, name = device
    tools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": name})
    me.signs_out()
    me.signs_in()
    me.page.fill("#app-code", "000000" if app.now() != "000000" else "111111")
    me.reader.press("form[action$='/app-code'] button")
    me.looks("a wrong code")
    me.page.fill("#app-code", me.code_of(app))
    me.reader.press("form[action$='/app-code'] button")
    assert me.path == "/staff"
    me.signs_out()
    me.signs_in()
    me.page.click("details.more summary")
    me.page.fill("#recovery-code", codes[2].upper())
    me.reader.press("form[action$='/recovery-code'] button")
    assert me.path == "/staff"
    me.reader.says("9")
    me.house.read_mail(OWNER, CHANGED, 3)  # the passkey, the app, the recovery code


def invited(me, language):
    """A colleague is put on the staff, and told by mail where to sign in."""
    me.reader.open("/staff/team")
    me.reader.press("a[href$='/invite']")
    me.looks("invite")
    me.page.fill("#email", EDITOR)
    me.page.fill("#name", "Iryna Bondar")
    me.page.check("[name=role][value=editor]")
    me.page.check(f"[name=locale][value={language}]", force=True)
    me.reader.press("main form button")
    me.looks("team")
    me.house.read_mail(EDITOR, INVITED)


def comes(them):
    """They set up an app, and see what their role may see."""
    them.signs_in()
    them.sets_up_an_app()


def another_role(me, them):
    """Their desk shuts at once, and opens with their factor."""
    me.reader.open("/staff/team")
    me.reader.press(me.page.get_by_role("link", name="Iryna Bondar"))
    me.looks("a colleague")
    me.reader.press("a[href$='/role']")
    me.looks("another role")
    me.page.check("[name=role][value=viewer]")
    me.page.fill("#reason", "Works on the archive now")
    me.reader.press("main form button")
    them.reader.open("/staff")
    assert them.path == "/staff/factor"


def reset(me, them):
    """Their second factor is taken away; both are told, and they sign in again to set up another one."""
    me.reader.press("a[href$='/reset-factor']")
    me.looks("reset a factor")
    me.page.fill("#reason", "Lost the phone; we spoke")
    me.reader.press("main form button")
    me.house.read_mail(OWNER, RESET)
    them.reader.open("/staff")
    assert them.path == "/signin"  # whoever may hold the lost phone holds no open desk either
    them.signs_in()
    assert them.path == "/staff/factor/mine"

"""Two owners, and a colleague who lost their phone: one asks, the other refuses, then agrees; only then it is done."""

import pytest

from tests.journeys.colleague import Colleague
from tests.journeys.grown_house import GrownHouse

OLENA, PETRO, IRYNA = "olena@example.org", "petro@example.org", "iryna@example.org"
# What stands in each mail, whatever its language.
ASKED, RESET = "/staff/team/approvals/", "/staff/factor/mine"


@pytest.fixture
def house(tmp_path):
    house = GrownHouse(tmp_path)
    yield house
    house.end()


@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_second_owner_agrees_before_a_factor_is_reset(house, new_reader, language):
    staff = ((OLENA, "owner", "Olena Kravets"), (PETRO, "owner", "Petro Hnatiuk"), (IRYNA, "editor", "Iryna Bondar"))
    for address, role, name in staff:
        house.run("staff", "add", address, "--role", role, "--name", name, "--locale", language)
    olena, petro, iryna = (Colleague(new_reader(language, house=house), house, each) for each, _, _ in staff)
    for each in (olena, petro, iryna):
        each.signs_in()
        each.sets_up_an_app()
    asks(olena)
    looks_and_refuses(petro)
    iryna.reader.open("/staff")
    assert iryna.path == "/staff"  # nothing was done
    asks(olena)
    olena.reader.press("main a[href*='/approvals/']")
    olena.looks("what I asked for")
    agrees(petro)
    house.read_mail(IRYNA, RESET)
    iryna.reader.open("/staff")
    assert iryna.path == "/signin"
    olena.reader.open("/staff/audit?subject=" + petro_agreed(olena))
    olena.looks("what became of it")
    assert olena.faults + petro.faults + iryna.faults == []


def asks(olena):
    """For a reset; until somebody agrees it is only a wish, and the page says so."""
    olena.reader.open("/staff/team")
    olena.reader.press(olena.page.get_by_role("link", name="Iryna Bondar"))
    olena.reader.press("a[href$='/reset-factor']")
    olena.looks("reset for two")
    olena.reader.says("Petro Hnatiuk")
    olena.page.fill("#reason", "Lost the phone; we spoke")
    olena.reader.press("main form button")
    olena.looks("a colleague about whom something waits")


def comes_from_the_mail(petro, nth):
    """By the link of the newest mail."""
    mail = petro.house.read_mail(PETRO, ASKED, nth)
    petro.reader.open(ASKED + mail.split(ASKED)[1].split()[0])
    petro.reader.says("Lost the phone; we spoke", "Olena Kravets", "Iryna Bondar")


def looks_and_refuses(petro):
    """One press, and nothing is done."""
    petro.reader.open("/staff/team")
    petro.looks("team while something waits")
    comes_from_the_mail(petro, 1)
    petro.looks("asked as a second owner")
    petro.reader.press("form[action$='/refuse'] button")
    assert petro.path == "/staff/team"


def agrees(petro):
    """And both are told."""
    comes_from_the_mail(petro, 2)
    petro.reader.press("main form button.button--primary")
    assert petro.path == "/staff/team"
    petro.looks("after it is done")


def petro_agreed(olena) -> str:
    """The public id of the colleague, as the address of their page has it."""
    olena.reader.open("/staff/team")
    return olena.page.get_by_role("link", name="Iryna Bondar").get_attribute("href").rpartition("/")[2]

"""The desk of appeals in a real browser: one is written, started and stopped, and every page of it is in order."""

import pytest

from membership.front.seed import EDITOR
from tests.journeys.inspection import faults_in_views

LINE = "In the winter we asked what the harbour costs, and who signs for it."


@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_state_of_an_appeal_is_in_order(demo, new_reader, language):
    reader, faults = new_reader(language), []
    reader.sign_in_by_link(EDITOR)

    def _look(name):
        faults.extend(faults_in_views(reader.page, f"{language} appeal {name}"))

    def _write(**words):
        for name, text in words.items():
            reader.page.fill(f"#{name}", text)

    reader.open("/staff/appeals/new")
    _write(name=f"Winter {language}", holdout_percent="99", a_en_title="Short")
    reader.press("main button[value=save]")
    _look("with mistakes")
    _write(holdout_percent="0", a_en_title="x" * 70, a_en_body=" ".join([LINE] * 7), a_en_button="Join for {amount}")
    reader.press("main button[value=add]")
    _look("draft that is not ready")
    _write(b_en_title="What comes next is yours to say", b_en_body=LINE, b_en_button="Join for {amount}")
    _write(tags="harbour, port", countries="ua")
    reader.press("main button[value=save]")
    _look("draft with warnings")
    reader.press("main form[action$='/start'] button")
    _look("running")
    reader.press("main form[action$='/stop'] button")
    _look("stopped")
    reader.open("/staff/appeals")
    _look("list")
    assert faults == []
    ((state,),) = demo.rows("SELECT state FROM appeals WHERE name = ?", f"Winter {language}")
    assert state == "stopped"

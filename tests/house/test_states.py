"""The page of the docs about states says what the code does."""

from membership.cli.docs import PLACE
from membership.contributions.rules.drawing import draw_states


def test_the_page_about_states_is_as_the_table_draws_it():
    assert (PLACE / "states.md").read_text(encoding="utf-8") == draw_states(), "run: membership docs states"

"""Reads for the front of the house: one file per subject."""

from membership.front.queries.desk import Desk, desk
from membership.front.queries.front_page import Goal, Vote, chosen_stories, goal, stories, vote

__all__ = ["Desk", "Goal", "Vote", "chosen_stories", "desk", "goal", "stories", "vote"]

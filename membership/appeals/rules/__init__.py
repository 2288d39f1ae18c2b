"""Decisions about appeals, as pure functions of values."""

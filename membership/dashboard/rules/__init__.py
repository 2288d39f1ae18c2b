"""Decisions of the dashboard as pure functions: `days` (the calendar), `periods`, `rates`, `nice` numbers."""

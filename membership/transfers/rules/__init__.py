"""Decisions of transfers as pure functions: `codes` (what a giver writes), `matching` (whose money it is)."""

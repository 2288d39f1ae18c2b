"""Decisions of transfers as pure functions: `codes` (what a giver writes), `accounts` (IBANs), `matching` (whose money
it is), `reasons` (why money went back), `waiting` (for how long announced money is waited for).
"""

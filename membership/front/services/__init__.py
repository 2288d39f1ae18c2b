"""Use cases of the desk about people: `lists` (reading them, taking them out of the house), `segments`, `tagging`, and
`runs` (what is done for many at once).
"""

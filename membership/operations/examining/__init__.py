"""What is missing or wrong with an installation, in words: what `membership doctor` prints and `/staff/health` shows.

It asks and changes nothing: no mail is sent, nothing is made at the payment company.
"""

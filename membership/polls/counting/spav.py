"""Sequential Proportional Approval Voting: a ballot of which j options are already chosen weighs 1/(j+1).

One round for each seat: every option that is not chosen yet gets the weight of the ballots that tick it, and the
highest is chosen. `totals` are these weights, exact. `missed_by`: how much less than the last winner in its
round (0: it lost by lot).
In `more`: `weights`, pairs of weight and number of ballots that had it in this round, heaviest first: [["1", 40],
["1/2", 7]]; blank ballots are not among them.

Source: T. Thiele, Om Flerfoldsvalg (1895); M. Lackner, P. Skowron, Multi-Winner Voting with Approval Preferences
(Springer 2023), rule 3.
"""

"""Method of Equal Shares: each voter holds an equal share of the budget, spent only on options they ticked.

An option is bought when its supporters can pay its cost together, each the same or all they have left. Of those the one
is bought that has the most effective votes: its cost divided by the highest amount that one supporter pays.
Every share begins at budget / voters and is raised by `unit` until the next raise would spend more than the budget;
the last purchases that fit stand (add1). Then options that still fit are added, most ticks first (decision 22).

Rounds are the purchases at the last share, then the additions. `totals`: effective votes of every option that could
be paid; at additions the ticks of those that fit. `note`: null for a purchase, "most_ticks" for an addition.
In `more`: `share`, what each voter held at the start (purchases only); `cost` of the option; `paid`, pairs of amount
and number of voters who paid it, highest first: [["1/2", 3], ["1/4", 1]] (purchases only); `left`, what is left of the
budget after this round.
`missed_by`: how much more money the supporters would have needed after the last purchase.

Source: D. Peters, G. Pierczyński, P. Skowron, Proportional Participatory Budgeting with Additive Utilities (NeurIPS
2021), with cost utilities; as used by Wieliczka, Świecie, Aarau and Assen (equalshares.net).
"""

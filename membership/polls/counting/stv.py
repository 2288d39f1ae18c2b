"""Single transferable vote by the rules of Scottish councils; with one seat it is instant-runoff voting.

Source: The Scottish Local Government Elections Order 2007 (SSI 2007/42), schedule 1, rules 45-52; the same in SSI
2011/399. The quota is floor(votes / (seats + 1)) + 1. In each round those who reach it are elected; then one
surplus is passed on (the largest first), or where there is none the lowest option is excluded. All ballots of a pile go
on at their value times surplus / total of the pile, cut (not rounded) after 5 decimals (weighted inclusive Gregory).
As soon as as many options are left as seats, they are elected without further transfers. Ties: whoever had more in the
latest earlier round in which they differed; else the published lot order.

Values are integers in units of 0.00001 votes. A rank that several options share ends the ballot there: the law has a
paper count only as far as its meaning is clear. A ballot that begins so counts for nobody and not for the quota.

`totals` of a round: votes at its beginning, for all options but those excluded. What was done then says `note`:
* "surplus": that of the one option in `transfers`' "from" was passed on.
* "exclusion": `eliminated` holds one option, its votes were passed on.
* "last_places": the options in `elected` took the last places; `eliminated` may hold the one excluded just before.
* "filled": with those elected in this round all seats were taken.
In `more`: `exhausted`, votes that had no further choice before this round; `lost`, votes cut off after 5 decimals
before this round. Totals, exhausted and lost together are the votes of the first round.
`missed_by`, against the lowest of those that stayed in its last round: how many votes fewer it had.
"""

"""The only writers of roll-ups and rates.

`noticing`: which days have to be summed anew. `summing`: sums them. `rebuilding`: all of them. `rating`: takes exchange
rates in. `drawing`: keeps pictures. `staying`: counts who stays after a poll. `owning`: what follows where people turn
out to be one, or leave for good.
"""

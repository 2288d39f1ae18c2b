"""Of what the histories choose."""

from hypothesis import strategies as st

from membership.kernel.rhythm import Rhythm

READERS = st.integers(0, 2)
WHICH = st.integers(0, 30)
RHYTHMS = st.sampled_from([Rhythm.MONTHLY, Rhythm.MONTHLY, Rhythm.ONCE, Rhythm.YEARLY])
CARDS = st.sampled_from(
    [
        "4242424242424242", "4242424242424242", "4242424242424242",
        "4000000000000341",  # works once and is refused at renewals
        "4000000000000002",  # declined
        "4000000000000259",  # disputed at once
        "4000000000007726",  # refunds stay pending and succeed later
        "4000000000005126",  # refunds fail later
        "AT611904300234573201",  # a debit: the money comes days later
        "AT861904300235473202",  # a debit that is returned days later
    ]
)  # fmt: skip
STAFF = "staff:st_1"
# Months and cups of a gift for somebody else; no two of one price, so that each is a page of its own.
GIFTS = st.sampled_from([(1, 1), (3, 1), (3, 2), (12, 1)])
# At which labelled point that it passes somebody dies; usually at none.
DEATHS = st.none() | st.integers(0, 30)
FAULTS = st.sampled_from(["lost_reply", "500", "503", "429", "html", "truncated"])
STANDSTILLS = st.sampled_from(["stripe.read:after-call", "stripe.read:after-call", "billing.lease:after-commit"])
# A lease lasts for 30 seconds.
PAUSES = st.sampled_from([1, 40])
DEEDS = st.sampled_from(["amount", "more", "amount", "more", "pause", "go_on", "cancel", "refund"])
SPANS = st.sampled_from(
    [
        {"minutes": 2}, {"hours": 1}, {"hours": 30}, {"days": 3}, {"days": 8}, {"days": 28}, {"days": 31},
    ]
)  # fmt: skip

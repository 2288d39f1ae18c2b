"""Elections for Hypothesis: small ones, because ties and odd ballots are then common."""

from fractions import Fraction

from hypothesis import strategies as st

from membership.polls.counting import Profile

LETTERS = "ABCDEFGH"


def approvals(n_options):
    return st.sets(st.integers(0, n_options - 1)).map(lambda some: (tuple(sorted(some)),) if some else ())


def singles(n_options):
    return st.one_of(st.just(()), st.integers(0, n_options - 1).map(lambda option: ((option,),)))


@st.composite
def rankings(draw, n_options):
    """Any number of options in any order; now and then several in one rank."""
    order = draw(st.lists(st.integers(0, n_options - 1), unique=True))
    ranks = []
    for option in order:
        if ranks and draw(st.integers(0, 7)) == 0:
            ranks[-1] = tuple(sorted((*ranks[-1], option)))
        else:
            ranks.append((option,))
    return tuple(ranks)


BALLOTS = {"approval": approvals, "ranking": rankings, "single": singles}


@st.composite
def profiles(draw, kind, *, has_costs=False, most_ballots=12):
    n_options = draw(st.integers(1, 6))
    sizes = st.integers(1, 4)
    groups = draw(st.lists(st.tuples(sizes, BALLOTS[kind](n_options)), max_size=most_ballots))
    money = {}
    if has_costs and draw(st.booleans()):
        amounts = st.one_of(st.integers(1, 9), st.fractions(Fraction(1, 3), 5, max_denominator=3))
        money = {
            "costs": tuple(draw(st.lists(amounts, min_size=n_options, max_size=n_options))),
            "budget": draw(st.integers(0, 20)),
            "unit": draw(st.sampled_from([1, Fraction(1, 2), Fraction(1, 7)])),
            "fills_up": draw(st.booleans()),
        }
    lots = tuple(draw(st.permutations(range(n_options))))
    return Profile(tuple(LETTERS[:n_options]), lots, groups, **money)


seats = st.integers(1, 7)

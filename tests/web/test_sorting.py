"""Tables of the desk that sort by links: the word in the address, and what the head of the table says."""

import re

import pytest
from flask import render_template_string

from membership.web.sorting import read_sort

COLUMNS = ("who", "since", "amount")


@pytest.mark.parametrize("text", [None, "", "-", "evil", "--since", "since;drop", "Since"])
def test_a_word_that_names_no_column_sorts_as_usual(text):
    assert str(read_sort(text, COLUMNS, "-since")) == "-since"


def test_a_column_is_sorted_from_its_beginning_and_then_the_other_way_round():
    first = read_sort("amount", COLUMNS, "-since")
    assert (first.of("amount"), first.of("since"), first.word_for("amount")) == ("ascending", "none", "-amount")
    second = read_sort(first.word_for("amount"), COLUMNS, "-since")
    assert (second.of("amount"), second.word_for("amount"), second.word_for("who")) == ("descending", "amount", "who")


TABLE = """
{% from "components/staff_table.html" import cell, filter_links, name_cell, staff_table %}
{% set head = {"who": "Person", "since": "Since", "amount": "Amount", "what": "Actions"} %}
{{ filter_links("Show", "mail.stop_page", [("All", {"token": "t"}, 3, true), ("Some", {"token": "u"}, none, false)]) }}
{% call staff_table("People", head, sort, "mail.stop_page", {"token": "t"}, numbers=("amount",)) %}
<tr role="row">
{% call name_cell(head.who) %}Olena{% endcall %}
{% call cell(head.amount, number=true) %}<b>4</b>{% endcall %}
</tr>
{% endcall %}
"""


def test_a_table_says_how_it_is_sorted_and_links_keep_what_was_filtered(app):
    with app.test_request_context("/"):
        page = render_template_string(TABLE, sort=read_sort("amount", COLUMNS, "since"))
    heads = re.findall(r'<th scope="col"[^>]*>', page)
    assert [re.search(r'aria-sort="(\w+)"', head)[1] for head in heads[:3]] == ["none", "none", "ascending"]
    assert "aria-sort" not in heads[3]
    assert 'href="/mail/stop/t?sort=-amount"' in page
    assert 'href="/mail/stop/t?sort=since"' in page
    assert '<caption class="visually-hidden">People</caption>' in page
    assert '<td role="cell" data-head="Amount" class="number staff-table__number">' in page
    assert page.count('aria-current="true"') == 2  # the filter that is chosen, and on a phone the column


def test_a_table_without_an_order_has_no_links(app):
    with app.test_request_context("/"):
        page = render_template_string(TABLE, sort=None)
    assert "aria-sort" not in page
    assert "?sort=" not in page

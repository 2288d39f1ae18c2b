"""Addresses that somebody made up: they find nothing, on either database, and nothing breaks."""

import pytest

HUGE = ("99999999999999999999999999.1", "99999999999.1", "1.99999999999", "1.99999999999999999999999")


@pytest.mark.parametrize("mark", HUGE)
@pytest.mark.parametrize("path", ["/topics?after=", "/topics?sort=latest&after=", "/stories?before="])
def test_a_mark_that_no_list_gave_breaks_nothing(client, path, mark):
    assert client.get(path + mark).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/polls/%00", "/polls?before=%00", "/polls/%00.json", "/polls/%00/evidence.json", "/polls/%00/receipts.txt",
        "/topics/%00/feed.atom", "/topics/aaaaaaaaaaaaaaaaaaaaaaaaaaaaa%00", "/topics/%00/badge", "/topics?q=a&q=%00",
    ],
)  # fmt: skip
def test_no_address_has_a_nul(client, path):
    assert client.get(path).status_code == 404

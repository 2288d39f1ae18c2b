"""Doors hang on views, never on paths (S16)."""

import pytest

from membership.web.access import audience
from tests.factories.people import any_token


@pytest.fixture
def web(web):
    for who in ("public", "member", "staff", "machine", "demo"):
        web.add_url_rule(f"/t/{who}", who, audience(who)(lambda: "in"), methods=["GET", "POST"])
    web.add_url_rule("/t/undeclared", "undeclared", lambda: "in")
    return web


@pytest.mark.parametrize(
    ("path", "status"),
    [("/t/public", 200), ("/t/member", 303), ("/t/staff", 303), ("/t/demo", 404), ("/t/undeclared", 403)],
)
def test_a_view_is_open_to_whom_it_says(web, path, status):
    assert web.test_client().get(path).status_code == status
    assert web.test_client().head(path).status_code == status


def test_demo_pages_are_there_in_the_demo(build):
    web = build(demo=True)
    web.add_url_rule("/t/demo", "demo", audience("demo")(lambda: "in"))
    assert web.test_client().get("/t/demo").status_code == 200


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "PUT", "DELETE", "TRACE"])
def test_a_member_page_does_nothing_for_others_by_any_method(web, method):
    client = web.test_client()
    data = {"csrf_token": any_token(client)}
    assert client.open("/t/member", method=method, data=data).status_code in {403, 405}


@pytest.mark.parametrize(
    "path",
    [
        "/t/member/", "//t/member", "/t//member", "/t/%6dember", "/T/MEMBER", "/t/member;x", "/t/member%2f",
        "/t%2fmember", "/t/./member", "/t/x/../member", "/t/member?x=1", "/t/member%00", "/t/member.json",
        "/t/member%20", "\\t\\member",
    ],
)  # fmt: skip
def test_no_spelling_of_a_path_gets_round_the_door(web, path):
    answer = web.test_client().get(path)
    assert answer.status_code in {303, 308, 400, 403, 404}
    assert answer.data != b"in"
    if answer.status_code == 308:
        assert answer.location.startswith(("/t/", "http://localhost/t/"))


def test_an_unknown_audience_is_a_program_error():
    with pytest.raises(ValueError, match="audience"):
        audience("everybody")
    with pytest.raises(ValueError, match="rate"):
        audience("public", rate="often")

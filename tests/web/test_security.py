"""Headers, hosts, forms of other websites (S10, S14, S22, S42)."""

import pytest

from membership.web.access import audience
from membership.web.security import content_policy
from tests.conftest import make_settings
from tests.factories.people import any_token


@pytest.fixture
def web(web):
    web.add_url_rule("/t", "t", audience("public")(lambda: "done"), methods=["GET", "POST"])
    web.add_url_rule("/boom", "boom", audience("public")(lambda: 1 / 0))
    return web


def directives(policy: str) -> dict[str, str]:
    return dict(part.strip().partition(" ")[::2] for part in policy.split(";"))


def test_the_policy_allows_our_own_files_and_the_payment_pages_only():
    policy = directives(content_policy(make_settings()))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["img-src"] == policy["connect-src"] == "'self'"
    pages = [f"https://{name}.stripe.com" for name in ("checkout", "billing", "invoice")]
    assert policy["form-action"].split() == ["'self'", *pages]


def test_the_sandbox_may_receive_our_form_where_it_is_set():
    policy = directives(content_policy(make_settings(stripe_api_base="http://127.0.0.1:9999/some/path")))
    assert policy["form-action"].endswith(" http://127.0.0.1:9999")


def test_no_page_can_loosen_what_holds_for_scripts():
    with pytest.raises(ValueError, match="script-src"):
        content_policy(make_settings(), script_src="'unsafe-inline'")
    assert "frame-src 'self'" in content_policy(make_settings(), frame_src="'self'")


@pytest.mark.parametrize(("path", "status"), [("/t", 200), ("/none", 404), ("/boom", 500), ("/static/x", 404)])
def test_every_answer_carries_the_headers(web, path, status):
    answer = web.test_client().get(path)
    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in answer.headers


def test_over_https_browsers_are_told_to_stay_there(build):
    answer = build(public_url="https://join.example.org").test_client().get("/", base_url="https://join.example.org")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "https://localhost"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_form_counts_only_when_it_comes_from_our_own_page(web, headers, status):
    client = web.test_client()
    assert client.post("/t", data={"csrf_token": any_token(client)}, headers=headers).status_code == status


def test_a_form_without_its_token_does_nothing_and_says_so(web):
    client = web.test_client()
    token = any_token(client)
    for data in ({}, {"csrf_token": ""}, {"csrf_token": token + "x"}, {"csrf_token": "x"}):
        answer = client.post("/t", data=data)
        assert answer.status_code == 400
        assert "Nothing was done" in answer.get_data(as_text=True)
    assert web.test_client().post("/t", data={"csrf_token": token}).status_code == 400
    assert client.post("/t", data={}, headers={"X-CSRFToken": token}).status_code == 200


def test_a_form_that_was_open_for_a_day_says_so(web):
    import time_machine

    client = web.test_client()
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False) as traveller:
        data = {"csrf_token": any_token(client)}
        traveller.move_to("2026-11-02 11:59:00Z")
        assert client.post("/t", data=data).status_code == 200
        traveller.move_to("2026-11-02 12:00:01Z")
        answer = client.post("/t", data=data)
    assert (answer.status_code, "open for too long" in answer.get_data(as_text=True)) == (400, True)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost@evil.example", "127.0.0.1", ""])
def test_another_host_is_refused(web, host):
    answer = web.test_client().get("/t", headers={"Host": host})
    assert answer.status_code == 400
    assert host not in answer.get_data(as_text=True) or not host
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-For", "Forwarded", "X-Forwarded-Proto"])
def test_forwarding_headers_mean_nothing_without_a_proxy(web, header):
    from flask import request

    web.add_url_rule(
        "/who", "who", audience("public")(lambda: f"{request.host} {request.remote_addr} {request.scheme}")
    )
    answer = web.test_client().get("/who", headers={header: "203.0.113.9"})
    assert answer.get_data(as_text=True) == "localhost 127.0.0.1 http"


def test_behind_one_proxy_only_its_own_word_counts(build):
    from flask import request

    web = build(trusted_proxies=1)
    web.add_url_rule("/who", "who", audience("public")(lambda: f"{request.host} {request.remote_addr}"))
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Forwarded-Host": "evil.example"}
    assert web.test_client().get("/who", headers=headers).get_data(as_text=True) == "localhost 203.0.113.9"


def test_a_body_over_a_mebibyte_is_refused(web):
    client = web.test_client()
    answer = client.post("/t", data={"csrf_token": any_token(client), "x": "a" * (1024 * 1024)})
    assert answer.status_code == 413


def test_a_form_with_hundreds_of_fields_is_refused(web):
    client = web.test_client()
    many = {f"f{n}": "x" for n in range(300)}
    answer = client.post("/t", data=many | {"csrf_token": any_token(client)}, content_type="multipart/form-data")
    assert answer.status_code in {400, 413}


def test_trace_is_not_answered(web):
    assert web.test_client().open("/t", method="TRACE").status_code == 405


def test_pages_of_visitors_may_be_kept_by_their_browser_only(web):
    answer = web.test_client().get("/t")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert {"Cookie", "Accept-Language"} <= set(answer.vary)
    assert answer.headers.getlist("Set-Cookie") == []


def test_in_the_demo_another_name_of_this_machine_leads_to_the_one_that_cookies_know(build):
    demo = build(demo=True, public_url="http://127.0.0.1:8000")
    answer = demo.test_client().get("/contribute?rhythm=once", headers={"Host": "localhost:8000"})
    assert (answer.status_code, answer.location) == (307, "http://127.0.0.1:8000/contribute?rhythm=once")
    assert demo.test_client().get("/healthz", headers={"Host": "127.0.0.1:8000"}).status_code == 200
    assert demo.test_client().get("/healthz", headers={"Host": "evil.example"}).status_code == 400

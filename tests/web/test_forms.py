"""Only the fields that a form has, each once (S31, S32)."""

import pytest
from wtforms import FieldList, SelectMultipleField, StringField

from membership.web.access import audience
from membership.web.forms import Form
from tests.factories.people import any_token


class Sample(Form):
    name = StringField()
    topics = SelectMultipleField(choices=["a", "b"])
    links = FieldList(StringField())


@pytest.fixture
def send(web):
    def view():
        form = Sample()
        return {"ok": form.validate(), "name": form.name.data, "topics": form.topics.data, "links": form.links.data}

    web.add_url_rule("/f", "f", audience("public")(view), methods=["GET", "POST"])
    client = web.test_client()
    token = any_token(client)

    def _send(pairs, **more):
        from werkzeug.datastructures import MultiDict

        return client.post("/f", data=MultiDict([("csrf_token", token), *pairs]), **more)

    return _send


def test_what_the_form_has_is_read(send):
    pairs = [("name", "Olena"), ("topics", "a"), ("topics", "b"), ("links-0", "x"), ("links-1", "y")]
    assert send(pairs).json == {"ok": True, "name": "Olena", "topics": ["a", "b"], "links": ["x", "y"]}


@pytest.mark.parametrize("name", ["role", "amount", "member_id", "eligible", "Name", "name ", "csrf_token2", ""])
def test_a_field_that_the_form_does_not_have_is_refused(send, name):
    assert send([("name", "Olena"), (name, "admin")]).status_code == 400


def test_a_field_that_comes_twice_is_refused(send):
    assert send([("name", "Olena"), ("name", "Maria")]).status_code == 400


def test_a_file_where_none_is_asked_for_is_refused(send):
    from io import BytesIO

    answer = send([("name", "Olena"), ("evil", (BytesIO(b"x"), "x.html"))], content_type="multipart/form-data")
    assert answer.status_code == 400


def test_json_is_no_form(web):
    web.add_url_rule("/f2", "f2", audience("public")(lambda: str(Form().validate())), methods=["POST"])
    client = web.test_client()
    answer = client.post("/f2", json={"role": "admin"}, headers={"X-CSRFToken": any_token(client)})
    assert (answer.status_code, answer.text) in [(200, "True"), (400, answer.text)]

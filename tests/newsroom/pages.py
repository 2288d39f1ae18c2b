"""The pages of the settings as a browser meets them."""

import html
import re

from tests.factories.people import any_token

TAG = re.compile(r"<(input|textarea|select|button)\b([^>]*)>", re.DOTALL)


def at(subject, action="") -> str:
    return f"/staff/settings/{subject}{'/' + action if action else ''}"


def attributes(text) -> dict[str, str]:
    found = re.findall(r'([\w-]+)(?:="([^"]*)")?', text)
    return {name: html.unescape(value) for name, value in found}


def fields_of(source, action) -> dict[str, str]:
    """The fields of the form with this action as they stand, as a browser would send them."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}(?:#\w+)?".*?</form>', source, re.DOTALL).group(0)
    fields = {}
    for found in TAG.finditer(form):
        tag, known = found[1], attributes(found[2])
        name = known.get("name")
        if not name or tag == "button":
            continue
        if tag == "textarea":
            fields[name] = html.unescape(form[found.end() :].partition("</textarea>")[0]).removeprefix("\r\n")
        elif tag == "select":
            options = form[found.end() :].partition("</select>")[0]
            chosen = re.search(r'<option selected value="([^"]*)"', options) or re.search(r'value="([^"]*)"', options)
            fields[name] = chosen.group(1) if chosen else ""
        elif known.get("type") not in {"checkbox", "radio"} or "checked" in known:
            fields[name] = known.get("value", "y")
    return fields


def look(browser, subject, drop=(), **typed):
    """Change what is typed in the form, drop some fields, and press "See what changes"; the answer."""
    fields = fields_of(browser.get(at(subject)).text, at(subject)) | typed
    return browser.post(at(subject), data={name: value for name, value in fields.items() if name not in drop})


def save(browser, subject, drop=(), **typed):
    """The same, and then press "Save it"; the answer."""
    seen = look(browser, subject, drop, **typed)
    assert seen.status_code == 200, seen.text
    return press_save(browser, subject, seen.text)


def press_save(browser, subject, source):
    return browser.post(at(subject, "save"), data=fields_of(source, at(subject, "save")))


def go_back(browser, subject, to, base):
    return browser.post(at(subject, "back"), data={"csrf_token": any_token(browser), "to": to, "base": base})


def errors_of(source) -> dict[str, str]:
    """Field -> the mistake that stands at it."""
    found = re.findall(r'<p class="field__error" id="([^"]+)-error">.*?</span> ?(.*?)</p>', source, re.DOTALL)
    return {name: html.unescape(words).strip() for name, words in found}


def words_of(source) -> str:
    """The text of the page as people read it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", source.partition("<main")[2])).split())

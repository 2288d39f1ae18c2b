#!/usr/bin/env python3
"""Check the evidence of a poll, without trusting the program that held it. Python 3.8 or newer, nothing else.

    python3 verify_poll.py evidence.json [--head NUMBER:HEAD] [--receipt CODE]

`evidence.json` is what the poll's page offers for download. `--head` is a head that you noted earlier, from the page
or from a mail; give as many as you have: they show that nothing before them was changed, put in, or cut off.
`--receipt` is the code that you were shown when you saved your ballot; your choice is not in the file.

Exit code 0: everything holds. 1: it does not, and each finding is named. 2: the file cannot be read.

What it shows: the poll is the one that was opened (question, options, rule, dates, seeds of all lots); the list of
saved ballots grew without a change since each head that you noted; the stated result is the one that was sealed at the
close, and fits the receipts and, where they are published, the ballots. It does not show who voted, nor what.
"""

import argparse
import hashlib
import json
import sys

FORMAT = "membership-poll-evidence/1"
HEX = set("0123456789abcdef")


def sha(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sha_of_json(value):
    return sha(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def sha_of_lines(lines):
    return sha("".join(line + "\n" for line in lines))


def check_chain(links):
    """Every head again from the one before it; the heads by number, and what is wrong."""
    heads, head = [], "0" * 64
    for at, link in enumerate(links):
        number, kind, entry, stated = link
        if number != at:
            yield f"links: link {at} is missing or out of order (found number {number})."
            return
        expected = "opening" if at == 0 else "ballot" if kind == "ballot" else "close"
        if kind != expected or (kind == "close" and at != len(links) - 1):
            yield f"links: link {at} is of the kind {kind!r}, which does not belong there."
        if not (isinstance(entry, str) and len(entry) == 64 and set(entry) <= HEX):
            yield f"links: the entry of link {at} is no digest."
        head = sha(f"{head}|{kind}|{entry}")
        if head != stated:
            yield f"links: the head of link {at} does not follow from what stands before it."
            return
        heads.append(head)
    if not heads:
        yield "links: there are none, not even of the opening."


def check_opening(part):
    links, opening = part["links"], part["opening"]
    if links and links[0][2] != sha_of_json(opening):
        yield "opening: question, options, rule, dates or seeds are not those of the opening (link 0)."
    if [option["n"] for option in opening["options"]] != list(range(len(opening["options"]))):
        yield "opening: the options are not numbered without gaps."


def check_commitments(part):
    """Ballots in the chain are the ballots that were saved; while a poll is open the newest may not be linked yet."""
    linked = [link[2] for link in part["links"] if link[1] == "ballot"]
    saved = part["commitments"]
    if len(set(saved)) != len(saved):
        yield "commitments: one stands there twice."
    for at, (one, other) in enumerate(zip(linked, saved)):
        if one != other:
            yield f"commitments: number {at + 1} is not the one of link {at + 1}."
            return
    if len(saved) < len(linked):
        yield f"commitments: {len(linked) - len(saved)} that are linked are missing."
    if part["state"] == "closed" and len(saved) > len(linked):
        yield f"commitments: {len(saved) - len(linked)} were never linked."
    if part["voted"] > len(saved):
        yield "voted: more people voted than ballots were saved."


def check_close(part):
    links, closing, receipts = part["links"], part.get("closing"), part.get("receipts")
    opening, result = part["opening"], part.get("result")
    has_close = bool(links) and links[-1][1] == "close"
    if part["state"] != "closed":
        if has_close or closing is not None:
            yield f"state: the poll is said to be {part['state']!r}, but it was closed."
        return
    if not has_close or closing is None:
        yield "links: the poll is closed, and the link of the close is missing."
        return
    if links[-1][2] != sha_of_json(closing):
        yield "closing, result, other_rules or receipts: not what was stated at the close (last link)."
    if closing["poll"] != opening["poll"]:
        yield "closing: it is of another poll."
    if receipts != sorted(set(receipts)):
        yield "receipts: they are not sorted, or one stands there twice."
    if closing["receipts_digest"] != sha_of_lines(receipts):
        yield "receipts: they are not those of the close."
    if len(receipts) != closing["counted"]:
        yield f"receipts: there are {len(receipts)}, and {closing['counted']} ballots were counted."
    if not closing["counted"] + closing["set_aside"] == closing["voted"] <= opening["on_roll"]:
        yield "closing: counted and set aside are not those who voted, or more than were on the roll."
    if part["voted"] != closing["voted"]:
        yield f"voted: the roll says {part['voted']}, the close {closing['voted']}."
    for name in ("result", "other_rules"):
        if closing[name + "_digest"] != sha_of_json(part[name]):
            yield f"{name}: not what was stated at the close."
    if (result["n_ballots"], result["n_blank"]) != (closing["counted"], closing["blank"]):
        yield "result: it counts another number of ballots, or of blank ones."
    if result["rule"] != opening["rule"] or not closing["rule_version"].startswith(opening["rule"] + "/"):
        yield "result: it was counted by another rule than the one of the opening."
    if opening["rule"] != "equal-shares" and result["seats"] != opening["seats"]:
        yield "result: it has another number of seats than the opening."
    if closing["closed_at"] < opening["closes_at"]:
        yield "closing: it was counted before the end that was said at the opening."


def check_ballots(part):
    """Published choices, and the opened ballots in an auditor's file."""
    closing = part.get("closing")
    if closing is None:
        return
    if part.get("ballots") is not None:
        choices = sorted(choice for choice, n in part["ballots"] for _ in range(n))
        if sha_of_lines([part["choices_blind"], *choices]) != closing["choices_digest"]:
            yield "ballots: they are not those that were counted."
        if (len(choices), choices.count("")) != (closing["counted"], closing["blank"]):
            yield f"ballots: there are {len(choices)}, {choices.count('')} of them blank; the close says otherwise."
    if part.get("opened") is not None:
        opened = sorted(part["opened"])
        lines = [f"{receipt}|{choice}" for receipt, choice in opened]
        if sha_of_lines([part["ballots_blind"], *lines]) != closing["ballots_digest"]:
            yield "opened: receipts and choices are not those that were counted."
        if [receipt for receipt, _ in opened] != part["receipts"]:
            yield "opened: it has other receipts than the list."


def check_noted(part, noted):
    for text in noted:
        number, _, head = text.partition(":")
        at = int(number)
        if at < 0:
            yield f"head {at}: links are numbered from 0."
        elif at >= len(part["links"]):
            yield f"head {at}: the chain was cut off; it has only {len(part['links'])} links."
        elif part["links"][at][3] != head:
            yield f"head {at}: the chain has another head there than the one you noted."


def check_receipts(part, codes):
    for code in codes:
        plain = "".join(c for c in code.casefold() if c.isalnum()).translate(str.maketrans("ilo", "110"))
        if part["state"] != "closed":
            yield f"receipt {code}: it cannot be checked before the close."
        elif sha(plain) not in part["receipts"]:
            yield f"receipt {code}: it was not counted (or a later ballot of yours replaced it)."


def findings_of(part, noted=(), codes=()):
    if part.get("format") != FORMAT:
        yield f"format: this is no {FORMAT}."
        return
    yield from check_chain(part["links"])
    for check in (check_opening, check_commitments, check_close, check_ballots):
        yield from check(part)
    yield from check_noted(part, noted)
    yield from check_receipts(part, codes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evidence", help="the file, or - for standard input")
    parser.add_argument("--head", action="append", default=[], metavar="NUMBER:HEAD")
    parser.add_argument("--receipt", action="append", default=[], metavar="CODE")
    asked = parser.parse_args()
    try:
        with sys.stdin if asked.evidence == "-" else open(asked.evidence, encoding="utf-8") as file:
            part = json.load(file)
        findings = list(findings_of(part, asked.head, asked.receipt))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        print(f"This file cannot be read as the evidence of a poll ({type(error).__name__}: {error}).", file=sys.stderr)
        return 2
    for finding in findings:
        print(f"WRONG  {finding}")
    if findings:
        return 1
    print(f"Everything holds: {len(part['commitments'])} ballots saved, {part['voted']} people voted.")
    print(f"Note this head: {part['links'][-1][0]}:{part['links'][-1][3]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

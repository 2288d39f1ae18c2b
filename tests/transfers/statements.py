"""Statements for tests: the two samples with codes of ours put in, and CAMT.053 written from lines."""

from pathlib import Path
from xml.sax.saxutils import escape

SAMPLES = Path(__file__).parent / "samples"


def sample(name, code="HP-0000-000", rf="RF00"):
    """One of the samples, with a code and a creditor reference in their places."""
    return (SAMPLES / name).read_text().replace("@CODE@", code).replace("@RF@", rf).encode()


def entry(amount="4.00", text="", day="2026-11-20", **more):
    """One entry; `more` may have name, iban, own_id, end_to_end, currency, side ("CRDT", "DBIT"), is_reversal."""
    more = {"name": "A Giver", "iban": "", "own_id": "", "end_to_end": "NOTPROVIDED", "currency": "EUR"} | more
    side = more.get("side", "CRDT")
    party = "Dbtr" if side == "CRDT" else "Cdtr"
    account = f"<{party}Acct><Id><IBAN>{more['iban']}</IBAN></Id></{party}Acct>" if more["iban"] else ""
    own = f"<AcctSvcrRef>{more['own_id']}</AcctSvcrRef>" if more["own_id"] else ""
    reversal = "<RvslInd>true</RvslInd>" if more.get("is_reversal") else ""
    return (
        f'<Ntry><Amt Ccy="{more["currency"]}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{reversal}'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>{own}<NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{more['end_to_end']}</EndToEndId></Refs>"
        f"<RltdPties><{party}><Pty><Nm>{escape(more['name'])}</Nm></Pty></{party}>{account}</RltdPties>"
        f"<RmtInf><Ustrd>{escape(text)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def camt(*entries, account="DE89370400440532013000", version="08"):
    """A whole statement of these entries."""
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><Stmt>'
        f"<Acct><Id><IBAN>{account}</IBAN></Id></Acct>{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()

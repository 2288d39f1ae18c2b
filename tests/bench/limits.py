"""The limits: a bare Flask app on the same server, with the same number of processes and the same database.

Run as a program: `python -m tests.bench.limits PORT WORKERS THREADS DATABASE_URL PAGE_FILE`.
"""

import json
import sys
from itertools import count
from pathlib import Path
from uuid import uuid4

from flask import Flask, Response, render_template_string, request
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, insert

from membership.cli.serve import listen
from membership.db import db, init_db

ROWS = Table("bench_rows", MetaData(), Column("id", String(80), primary_key=True), Column("body", LargeBinary))
N_PARTS = 40


def build() -> Flask:
    """The bare app: `/page` renders a template of the same size, `/commit` writes one row, `/commit-two`
    two, `/read` reads a body of JSON and keeps nothing.
    """
    database_url, page = sys.argv[4], Path(sys.argv[5])
    app = Flask("limits")
    init_db(app, database_url)
    parts = _parts(page.read_text()) if page.exists() else []
    numbers, process = count(), uuid4().hex

    def write_row(body: bytes) -> None:
        with db.engine.connect() as connection:
            connection.execute(insert(ROWS).values(id=f"{process}-{next(numbers)}", body=body))
            connection.commit()

    @app.get("/page")
    def page_of_the_same_size() -> str:
        return render_template_string(TEMPLATE, parts=parts, value="<value>")

    @app.post("/commit")
    def commit() -> Response:
        write_row(request.get_data(cache=False))
        return Response("ok\n", mimetype="text/plain")

    @app.post("/read")
    def read() -> Response:
        json.loads(request.get_data(cache=False))
        return Response(status=204)

    @app.post("/commit-two")
    def commit_two() -> Response:
        write_row(b"1")
        write_row(b"2")
        return Response("ok\n", mimetype="text/plain")

    return app


# Literal text is the bulk of a page; every part ends with one value that is escaped.
TEMPLATE = "{% for part in parts %}{{ part }}{{ value }}{% endfor %}"


def _parts(html: str) -> list[str]:
    from markupsafe import Markup

    size = len(html) // N_PARTS + 1
    return [Markup(html[start : start + size]) for start in range(0, len(html), size)]  # noqa: S704 - our own page


if __name__ == "__main__":
    _, port, workers, threads = sys.argv[:4]
    prepared = Flask("prepare")
    init_db(prepared, sys.argv[4])
    with prepared.app_context():
        ROWS.metadata.create_all(db.engine)
        db.engine.dispose()
    listen("tests.bench.limits:build", "127.0.0.1", int(port), int(workers), int(threads))

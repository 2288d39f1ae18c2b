"""For `make translations`: why a mail is sent stands in the first line of its function, and is shown to staff in their
language. Babel calls this for the files that write mails (babel.cfg); the program itself never does.
"""

import ast
from collections.abc import Collection, Generator, Mapping
from typing import IO, Any

from babel.messages.extract import extract_python


def extract(
    file: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Any
) -> Generator[tuple[Any, ...], None, None]:
    """What Babel finds in every Python file, and the purpose of each function that is a mail."""
    source = file.read()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and any(_is_mail(each) for each in node.decorator_list):
            purpose = (ast.get_docstring(node, clean=False) or "").strip().partition("\n")[0]
            if purpose:
                yield node.lineno, "", purpose, []
    file.seek(0)
    yield from extract_python(file, keywords, comment_tags, options)


def _is_mail(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "mail"

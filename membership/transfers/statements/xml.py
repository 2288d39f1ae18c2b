"""XML of strangers, read with the standard library's own parser and nothing that XML can do to its reader.

A document type is refused before anything in it counts, and with it every entity; depth and number of elements are
limited. Names come without their namespace, which only the root is asked for. Source: security.md, OWASP's XML
cheat sheet.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from membership.transfers.statements.lines import UnreadableStatement

DEEPEST = 40
MOST_ELEMENTS = 400_000


@dataclass(slots=True)
class Element:
    """One element: its name without namespace, the text right in it, its attributes, its children in order."""

    name: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without spaces around it."""
        return "".join(self.pieces).strip()

    def find(self, path: str) -> "Element | None":
        """The first element at a path such as "Refs/EndToEndId", or None."""
        return next(iter(self.all(path)), None)

    def all(self, path: str) -> list["Element"]:
        """Every element at a path, in order."""
        found = [self]
        for step in path.split("/"):
            found = [child for element in found for child in element.children if child.name == step]
        return found

    def first(self, *paths: str) -> str:
        """The text at the first of these paths that has any; "" where none has."""
        return next((element.text for path in paths for element in self.all(path) if element.text), "")


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self.namespace = ""
        self._open: list[Element] = []
        self._n = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        element = Element(local, attributes)
        self._n += 1
        if self._n > MOST_ELEMENTS or len(self._open) > DEEPEST:
            raise UnreadableStatement("too_large", "The file is larger or deeper than any statement.")
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root, self.namespace = element, namespace
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def text(self, piece: str) -> None:
        if self._open:
            self._open[-1].pieces.append(piece)


def _refuse(*_facts: object) -> None:
    raise UnreadableStatement("doctype", "The file declares a document type, which no statement of a bank does.")


def parse(raw: bytes) -> tuple[Element, str]:
    """The root and its namespace; UnreadableStatement for what is no XML, or more than a statement needs."""
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.buffer_text = True
    try:
        parser.Parse(raw, True)  # noqa: FBT003 - expat's own signature: this is all of it
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise UnreadableStatement("no_xml", f"The file is damaged, or no XML: {error}.") from error
    if builder.root is None:
        raise UnreadableStatement("no_xml", "The file is empty.")
    return builder.root, builder.namespace

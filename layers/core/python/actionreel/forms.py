"""Bodies of requests that are forms, with files in them; read by the library python-multipart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actionreel.errors import RequestError

MAX_FIELDS = 40
MAX_FIELD_BYTES = 256 * 1024


@dataclass(frozen=True)
class FormFile:
    """A file in a form."""

    name: str
    content: bytes


def read_form(body: bytes, content_type: str) -> dict[str, str | FormFile]:
    """The fields of a multipart form, by their names; of a name that comes twice, the last.

    Raises RequestError (400) for a body that is none, was cut off, or has too much in it.
    """
    # One route needs it, and not at its cold start.
    from python_multipart import FormParser
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import parse_options_header

    found: dict[str, str | FormFile] = {}
    ends: list[bool] = []

    def on_field(field: Any) -> None:
        value = field.value or b""
        if len(found) >= MAX_FIELDS or len(value) > MAX_FIELD_BYTES:
            raise FormParserError("too much")
        found[field.field_name.decode()] = value.decode()

    def on_file(file: Any) -> None:
        if len(found) >= MAX_FIELDS:
            raise FormParserError("too much")
        file.file_object.seek(0)
        name = (file.file_name or b"").decode(errors="replace")
        found[file.field_name.decode()] = FormFile(name, file.file_object.read())
        file.close()

    try:
        _, options = parse_options_header(content_type)
        parser = FormParser(
            "multipart/form-data",
            on_field,
            on_file,
            lambda: ends.append(True),
            boundary=options.get(b"boundary"),
        )
        parser.write(body)
        parser.finalize()
        if not ends:  # its last part may be missing, which the library says to nobody
            raise FormParserError("cut off")
    except (FormParserError, ValueError, TypeError, AttributeError):
        raise RequestError(400, "unreadable", "The body is not a form that can be read.") from None
    return found

"""The body of a creation: JSON, or a form as the openai SDK and LiteLLM send it."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from email.message import EmailMessage

from local.studio.words import Document


def fields(body: bytes, content_type: str) -> Document:
    """What a body holds, by name: JSON as it is; of multipart/form-data, texts as str and files
    as bytes. A name such as `input_reference[image_url]` is a value in a document, as in JSON.

    Raises ValueError if the body cannot be read.
    """
    if content_type.partition(";")[0].strip().lower() == "multipart/form-data":
        return _form(body, content_type)
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("The body is not a JSON object.")
    return found


def _form(body: bytes, content_type: str) -> Document:
    # A form is written as a mail with attachments is, less the mail's own header.
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    mail = message_from_bytes(head + body, _class=EmailMessage, policy=policy.HTTP)
    if mail.defects:
        raise ValueError("The body is not the form that its Content-Type says.")
    found: Document = {}
    for part in mail.iter_parts():
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            raise ValueError("The form has a part with parts of its own.")
        value = content if part.get_filename() is not None else content.decode()
        whole = str(part.get_param("name", "", header="content-disposition"))
        name, _, inner = whole.removesuffix("]").partition("[")
        before = found.get(name)
        if inner and isinstance(before, dict):
            before[inner] = value
        else:
            found[name] = {inner: value} if inner else value
    return found

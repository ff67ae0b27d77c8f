"""What the documents of the OpenAI Videos protocol mean. Pure.

Source: the Videos section of OpenAI's API reference, as the openai SDK 3.54.0 speaks it, and the
error bodies of the servers that are compatible with it.
"""

from __future__ import annotations

from typing import Any

from actionreel.errors import ProviderError
from actionreel.models import Failure, Handle, ProviderAnswer
from actionreel.providers import answers
from actionreel.providers.http_api import Answer


def created(answer: Answer) -> Handle:
    """The handle of the job of a create's answer."""
    return {"id": answers.job_id(answer.document.get("id"))}


def job(said: answers.Document, handle: Handle | None = None) -> ProviderAnswer:
    """What the document of a job says, in our words."""
    phase = answers.phase(said.get("status"))
    usage = said.get("usage")
    cost = answers.price(usage.get("cost")) if isinstance(usage, dict) else None
    return ProviderAnswer(
        phase=phase,
        handle=handle,
        progress=answers.progress(said.get("progress")),
        failure=_failure(phase, said, cost),
        took_seconds=_took_seconds(said),
        cost_usd=cost,
    )


def refusal(answer: Answer) -> ProviderError:
    """What an answer other than 2xx to a create means."""
    return answers.refusal(answer.status, *_error(answer.document), answer.headers)


def _failure(phase: answers.Phase, said: answers.Document, cost: Any) -> Failure | None:
    if phase in ("pending", "completed"):
        return None
    if phase == "cancelled":
        return answers.cancelled()
    if str(said.get("status")).lower() == "expired":
        return answers.expired()
    return answers.failed(*_error(said), cost)


def _took_seconds(said: answers.Document) -> int | None:
    """The provider's own figure for its work, by its own clock; None if it does not give both."""
    began, ended = said.get("created_at"), said.get("completed_at")
    if answers.is_number(began) and answers.is_number(ended) and 0 < began <= ended:
        return round(ended - began)
    return None


def _error(said: answers.Document) -> tuple[str, str]:
    """The machine's words and the reader's words of an error body, either of them maybe empty."""
    error = said.get("error")
    if not isinstance(error, dict):
        return "", answers.text(error) or _detail(said.get("detail"))
    words = " ".join(str(error.get(name) or "") for name in ("code", "type"))
    if isinstance(error.get("metadata"), dict) and error["metadata"].get("reasons"):
        words += " moderation"  # as OpenRouter says it
    return words, answers.text(error.get("message"))


def _detail(detail: Any) -> str:
    """FastAPI's error bodies have a text, or a list of what is wrong with which field."""
    if not isinstance(detail, list):
        return answers.text(detail)
    wrong = [_wrong(one) for one in detail if isinstance(one, dict)]
    return answers.text("; ".join(text for text in wrong if text))


def _wrong(one: answers.Document) -> str:
    place = one.get("loc")
    field = place[-1] if isinstance(place, list) and place else ""
    return ": ".join(text for text in (answers.text(field), answers.text(one.get("msg"))) if text)

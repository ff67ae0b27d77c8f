"""What the documents of Runway's API mean. Pure.

Source: docs.dev.runwayml.com (errors, task failures), API version 2024-11-06. That an empty account
is answered with a 400 and a text, those tell who met it.
"""

from __future__ import annotations

from decimal import Decimal

from actionreel.errors import ProviderError
from actionreel.models import Failure, ProviderAnswer
from actionreel.providers import answers
from actionreel.providers.http_api import Answer

CREDIT_USD = Decimal("0.01")


def job(said: answers.Document) -> ProviderAnswer:
    """What the document of a task says, in our words."""
    phase = answers.phase(said.get("status"))
    part, cost = said.get("progress"), _cost_usd(said)
    return ProviderAnswer(
        phase=phase,
        progress=answers.progress(part * 100 if answers.is_number(part) else None),
        failure=_failure(phase, said, cost),
        cost_usd=cost,
    )


def refusal(answer: Answer) -> ProviderError:
    """What an answer other than 2xx to a create means: `error`, and the `issues` of its fields."""
    reason = answers.text(answer.document.get("error"))
    words = "insufficient_credit" if "enough credits" in reason else ""
    issues = answer.document.get("issues")
    for issue in issues if isinstance(issues, list) else []:
        if isinstance(issue, dict) and (told := answers.text(issue.get("message"))):
            path = issue.get("path")
            where = ".".join(map(str, path)) if isinstance(path, list) else ""
            reason += f"; {where}: {told}" if where else f"; {told}"
    return answers.refusal(answer.status, words, answers.text(reason), answer.headers)


def _cost_usd(said: answers.Document) -> Decimal | None:
    cost = said.get("cost")
    credits = answers.price(cost.get("credits")) if isinstance(cost, dict) else None
    return None if credits is None else credits * CREDIT_USD


def _failure(phase: answers.Phase, said: answers.Document, cost: Decimal | None) -> Failure | None:
    if phase in ("pending", "completed"):
        return None
    if phase == "cancelled":
        return answers.cancelled()
    code = answers.text(said.get("failureCode"))
    failure = answers.failed(code, answers.text(said.get("failure")), cost)
    if code.startswith("ASSET.INVALID") and failure.code == "provider_rejected":
        return failure.model_copy(update={"code": "invalid_input", "retryable": False})
    return failure

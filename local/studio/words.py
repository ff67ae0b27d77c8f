"""The words in a prompt, as tables. What they mean to a tester is written in `local.studio`."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What goes over the wire, after `wait_seconds`; nothing does if `status` is 0."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    length: int | None = None  # the Content-Length, where it is not that of the body
    wait_seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    elsewhere: str = "/"  # the path to which a redirect of this answer leads


def refusal(status: int, code: str, message: str, param: str | None = None) -> Answer:
    """An error as OpenAI writes it."""
    kind = {429: code, 500: "server_error", 503: "server_error"}.get(status)
    error = {"code": code, "type": kind or "invalid_request_error", "param": param}
    return Answer(json.dumps({"error": {"message": message, **error}}).encode(), status)


# What becomes of a job: fields of Job.
JOB_WORDS: dict[str, Document] = {
    "[instant]": {"pace": 0.0, "instant": True},
    "[slow]": {"pace": 30.0},
    "[stuck]": {"stuck": True},
    "[fail:moderation]": {
        "error": {"code": "moderation_blocked", "message": "Rejected by the safety system."}
    },
    "[fail:server]": {"error": {"code": "server_error", "message": "The video failed to render."}},
}
# Where machines of a cloud find their own credentials: no download may be led there.
AWAY = "http://169.254.169.254/latest/meta-data/"
# What is answered to a call, whatever the truth is.
ANSWERS = {
    "400": refusal(400, "invalid_value", "Invalid value for seconds."),
    "401": refusal(401, "invalid_api_key", "Incorrect API key provided."),
    "402": refusal(402, "billing_hard_limit_reached", "Billing hard limit has been reached."),
    "404": refusal(404, "not_found", "There is no such model or video."),
    "405": refusal(405, "method_not_allowed", "Method Not Allowed."),
    "429": refusal(429, "rate_limit_exceeded", "Rate limit reached."),
    "500": refusal(500, "server_error", "The server had an error."),
    "503": refusal(503, "server_overloaded", "The engine is currently overloaded."),
    "quota": refusal(429, "insufficient_quota", "You exceeded your current quota."),
    "moderation": refusal(400, "content_policy_violation", "Rejected by the safety system."),
    "unsupported": refusal(400, "video_not_finished", "Only a finished video can be deleted."),
    "none": refusal(404, "not_found", "This video has no such picture."),
    "html": Answer(b"<!doctype html><title>Sign in</title><p>Please sign in.", kind="text/html"),
    "empty": Answer(),
    "redirect-away": Answer(status=302, headers={"Location": AWAY}),
    "drop": Answer(status=0),
    "hang": Answer(status=0, wait_seconds=120),
}
TIMES = r"(\*(?P<times>[0-9]{1,6}))?"
CALL_WORD = re.compile(
    r"\[(?P<call>create|created|poll|list|content|poster|cancel|cancelled)"
    rf":(?P<answer>half|cut|redirect|{'|'.join(ANSWERS)})( after (?P<after>[0-9]{{1,6}}))?{TIMES}\]"
)
UNLISTED = re.compile(rf"\[unlisted{TIMES}\]")


class CallWords:
    """The words for calls, and how often each was used."""

    def __init__(self) -> None:
        # Calls come in threads, and the next of a count cannot be given out twice.
        self._used: dict[tuple[str, str], count[int]] = defaultdict(count)

    def answer(self, call: str, prompt: str, subject: str, true: Answer) -> Answer:
        """The answer to `call` that `prompt` wants, else the `true` one, itself.

        Words are used up for each `subject`: the id of a job, or the prompt.
        """
        for word in CALL_WORD.finditer(prompt):
            if word["call"] == call and self._counts(word, subject):
                half = replace(true, body=true.body[: len(true.body) // 2])
                made = {
                    "half": replace(half, length=len(true.body)),
                    "cut": half,
                    "redirect": Answer(status=302, headers={"Location": true.elsewhere}),
                }
                answer = (ANSWERS | made)[word["answer"]]
                later = {"Retry-After": word["after"]}
                return replace(answer, headers=answer.headers | later) if word["after"] else answer
        return true

    def unlisted(self, prompt: str, subject: str) -> bool:
        """Whether the list that comes to this job now must leave it out."""
        return any(self._counts(word, subject) for word in UNLISTED.finditer(prompt))

    def _counts(self, word: re.Match[str], subject: str) -> bool:
        """Whether the word is not used up yet; this uses it once."""
        used = next(self._used[word[0], subject])
        return used < int(word["times"] or used + 1)

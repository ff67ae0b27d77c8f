"""What a chat is told of a video: plain words, in no platform's markup. Pure."""

from __future__ import annotations

import re

from actionreel.chats import Button, Told
from actionreel.links import Links
from actionreel.models import Failure, Video
from actionreel.results import video_url

MAX_PROMPT_CHARACTERS = 200
_STEP = 10  # per cent: finer would be an edit for each look
_STATES = {
    "queued": "about to be made",
    "submitting": "about to be made",
    "generating": "being made",
    "storing": "made, and on its way here",
}
_FINAL = ("cancelled", "moderation", "invalid_input", "invalid_action")  # the same will come of it
_SAYS_SO = re.compile(r"may (still |be )?charged?\b")  # our own sentences
_NO_REASON = Failure(code="internal", message="It ended without a reason on its record.")


def progress(video: Video) -> Told:
    """How a video that is being made stands. Says the same until there is something to say."""
    state = _STATES[video.status]
    if video.ambiguous and video.status in ("queued", "submitting"):
        state = "in doubt: the provider did not answer, and we are finding out whether it has begun"
    shows = video.status == "generating" and video.progress
    done = f", {(video.progress or 0) // _STEP * _STEP} %" if shows else ""
    text = f"{quoted(video)} ({video.seconds} s, {video.model}) is {state}{done}."
    return Told(
        _with_notices(text, video),
        buttons=(Button("Cancel", "cancel", video.video_id),),
        passing=True,
    )


def ended(video: Video, links: Links) -> Told:
    """What became of a video that is no longer made. Raises KeyUnavailableError for one that is
    ready, if its link cannot be made now."""
    if video.status == "completed":
        text = f"{quoted(video)} is ready."
        return Told(_with_notices(text, video), link=video_url(video, links))
    failure = video.failure or _NO_REASON
    text = f"There is no video of {quoted(video)}. {failure.message}"
    if failure.maybe_charged and not _SAYS_SO.search(failure.message):
        text += " The provider may charge for it."
    return Told(_with_notices(text, video), buttons=_again(video, failure))


def quoted(video: Video) -> str:
    """The prompt, short and on one line."""
    prompt = " ".join(video.prompt.split())
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        prompt = f"{prompt[: MAX_PROMPT_CHARACTERS - 1].rstrip()}…"
    return f"“{prompt}”"


def _with_notices(text: str, video: Video) -> str:
    return "\n".join([text, *(f"Note: {notice}" for notice in video.notices)])


def _again(video: Video, failure: Failure) -> tuple[Button, ...]:
    """The way to have it made again, where there is one."""
    if video.retried_as is not None or failure.code in _FINAL:
        return ()
    if failure.maybe_charged:
        label = "Make it again, even if it is charged twice"
        return (Button(label, "retry_anyway", video.video_id),)
    return (Button("Try again", "retry", video.video_id),)

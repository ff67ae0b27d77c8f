"""The calls of the OpenAI Videos protocol, as far as clients of ours make them.

    POST /v1/videos                 makes a job
    GET  /v1/videos                 all jobs, the newest first, on one page
    GET  /v1/videos/{id}            says how a job stands
    GET  /v1/videos/{id}/content    the film (variant=thumbnail: a still image of it)

Source: the Videos section of OpenAI's API reference, as the openai SDK 3.54.0 speaks it.
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

from local.studio.job import Job, Jobs
from local.studio.words import JOB_WORDS, Answer, CallWords, Document, refusal

VARIANTS = {"video": ("content", "video/mp4"), "thumbnail": ("poster", "image/webp")}
SIDE = "(?:[1-9]|1[0-9])[0-9][02468]"  # 100 to 1998 pixels; H.264 wants even ones
FIELDS = {  # what each must look like, and what it is when it is not given
    "prompt": (r"(?s).*\S.*", ""),
    "model": (r".+", "sora-2"),
    "seconds": (r"[1-9]|[1-5][0-9]|60", "4"),
    "size": (f"{SIDE}x{SIDE}", "720x1280"),
}


class Calls:
    """Answers calls about `jobs`, each of which takes `pace_seconds` or more."""

    def __init__(self, jobs: Jobs, pace_seconds: float) -> None:
        self._jobs = jobs
        self._pace = pace_seconds
        self._words = CallWords()

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """The answer to one call; `target` is the path, with its query."""
        url = urlsplit(target)
        match [method, *url.path.split("/")[1:]]:
            case ["POST", "v1", "videos"]:
                return self._create(body)
            case ["GET", "v1", "videos"]:
                return self._list()
            case ["GET", "v1", "videos", job_id] if job := self._jobs.by_id.get(job_id):
                return self._words.answer("poll", job.prompt, job.id, _json(job.document()))
            case ["GET", "v1", "videos", job_id, "content"] if job := self._jobs.by_id.get(job_id):
                return self._content(job, parse_qs(url.query).get("variant", ["video"])[0])
        return refusal(404, "not_found", f"There is nothing at {url.path}.")

    def _create(self, body: bytes) -> Answer:
        try:
            fields = _fields(json.loads(body))
        except ValueError as error:
            return refusal(400, "invalid_value", str(error))
        prompt, accepted = fields["prompt"], Answer()
        answer = self._words.answer("create", prompt, prompt, accepted)
        if answer is not accepted:
            return answer
        settings: Document = {"pace": self._pace}
        for word, changes in JOB_WORDS.items():
            settings |= changes if word in prompt else {}
        job = Job(**fields, **settings)
        self._jobs.add(job)
        return self._words.answer("created", prompt, prompt, _json(job.document()))

    def _list(self) -> Answer:
        data = [job.document() for job in [*self._jobs.by_id.values()][::-1]]
        ids = [video["id"] for video in data] or [None]
        ends = {"first_id": ids[0], "last_id": ids[-1], "has_more": False}
        return _json({"object": "list", "data": data, **ends})

    def _content(self, job: Job, variant: str) -> Answer:
        if job.status != "completed":
            return refusal(404, "not_ready", f"The video is not ready: it is {job.status}.")
        if variant not in VARIANTS:
            return refusal(400, "invalid_value", f"Use one of the variants {[*VARIANTS]}.")
        call, kind = VARIANTS[variant]
        true = Answer(job.files[variant].read_bytes(), kind=kind)
        return self._words.answer(call, job.prompt, job.id, true)


def _json(document: Document) -> Answer:
    return Answer(json.dumps(document).encode())


def _fields(given: Document) -> Document:
    """The checked fields of a creation, named as in Job. Raises ValueError."""
    fields = {name: str(given.get(name, default)) for name, (_, default) in FIELDS.items()}
    for name, value in fields.items():
        if not re.fullmatch(FIELDS[name][0], value):
            raise ValueError(f"Invalid value for {name}.")
    return fields

"""The calls of the OpenAI Videos protocol, as far as clients of ours make them.

    POST   /v1/videos                       makes a job (of JSON, or of multipart/form-data)
    POST   /v1/videos/{id}/remix            makes a job of another one, with another prompt
    GET    /v1/videos                       lists jobs (limit 1 to 100, order asc or desc, after)
    GET    /v1/videos/{id}                  says how a job stands
    GET    /v1/videos/{id}/content          the film (variant=thumbnail: a still image of it)
    GET    /v1/videos/{id}/files/{variant}  the same, where a redirect leads
    DELETE /v1/videos/{id}                  deletes a job; one that is not finished is cancelled

A POST with an Idempotency-Key that made a job before gives that job again, as it is now; with
another body it is a 422, and a 410 when the job was deleted: a key never makes a second one.

Source: the Videos section of OpenAI's API reference, as the openai SDK 3.54.0 speaks it. That a
DELETE cancels is from vLLM-Omni, the key from the IETF's draft about the Idempotency-Key header.
"""

from __future__ import annotations

import json
import threading
from urllib.parse import parse_qsl, urlsplit

from local.studio import form
from local.studio.fields import CREATION, LIST, InvalidValueError, check_reference, checked
from local.studio.job import Job
from local.studio.jobs import Jobs
from local.studio.words import ANSWERS, JOB_WORDS, Answer, CallWords, Document, refusal

VARIANTS = {"video": ("content", "video/mp4"), "thumbnail": ("poster", "image/webp")}
NO_ENDS = {"first_id": None, "last_id": None}


class Calls:
    """Answers calls about `jobs`, each of which takes `pace_seconds` or more."""

    def __init__(self, jobs: Jobs, pace_seconds: float) -> None:
        self._jobs = jobs
        self._pace = pace_seconds
        self._words = CallWords()
        self._by_key: dict[str, tuple[Document, Job]] = {}
        self._creating = threading.Lock()

    def answer(self, method: str, target: str, body: bytes, content_type: str, key: str) -> Answer:
        """The answer to one call; `target` is the path, with its query. Without a `key`: ""."""
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        find = self._jobs.by_id.get
        try:
            match [method, *url.path.split("/")[1:]]:
                case ["POST", "v1", "videos"]:
                    return self._create(body, content_type, key)
                case ["POST", "v1", "videos", job_id, "remix"] if job := find(job_id):
                    return self._remix(job, body, content_type, key)
                case ["GET", "v1", "videos"]:
                    return self._list(checked(LIST, query))
                case ["GET", "v1", "videos", job_id] if job := find(job_id):
                    return self._words.answer("poll", job.prompt, job.id, _json(job.document()))
                case ["GET", "v1", "videos", job_id, "content"] if job := find(job_id):
                    return self._content(job, query.get("variant", "video"))
                case ["GET", "v1", "videos", job_id, "files", variant] if job := find(job_id):
                    return _file(job, variant)
                case ["DELETE", "v1", "videos", job_id] if job := find(job_id):
                    return self._delete(job)
        except InvalidValueError as error:
            return refusal(400, "invalid_value", f"Invalid value for {error}.", str(error))
        return refusal(404, "not_found", f"There is nothing at {url.path}.")

    def _create(self, body: bytes, content_type: str, key: str) -> Answer:
        try:
            asked = form.fields(body, content_type)
        except ValueError as error:
            return refusal(400, "invalid_value", str(error))
        fields = checked(CREATION, asked)
        check_reference(asked.get("input_reference"), fields["size"])
        prompt, accepted = fields["prompt"], Answer()
        with self._creating:  # of two requests with one key, the later must see the earlier's job
            before, job = self._by_key.get(key, (asked, None))
            if before != asked:
                return refusal(422, "idempotency_key_reused", "This key had another body before.")
            if job is None:
                answer = self._words.answer("create", prompt, prompt, accepted)
                if answer is not accepted:
                    return answer
                settings: Document = {"pace": self._pace}
                for word, changes in JOB_WORDS.items():
                    settings |= changes if word in prompt else {}
                job = Job(**fields, remixed_from=asked.get("remixes"), **settings)
                self._jobs.add(job)
                if key:
                    self._by_key[key] = asked, job
        if job.deleted:
            return refusal(410, "not_found", "The video that this key made was deleted.")
        self._jobs.wait_if_instant(job)
        return self._words.answer("created", prompt, prompt, _json(job.document()))

    def _remix(self, job: Job, body: bytes, content_type: str, key: str) -> Answer:
        if job.status != "completed":
            return refusal(400, "invalid_value", f"The video is {job.status}.", "video_id")
        try:
            asked = form.fields(body, content_type)
        except ValueError as error:
            return refusal(400, "invalid_value", str(error))
        same: Document = {"model": job.model, "seconds": job.seconds, "size": job.size}
        again = json.dumps({**same, "prompt": asked.get("prompt", ""), "remixes": job.id}).encode()
        return self._create(again, "application/json", key)

    def _list(self, asked: Document) -> Answer:
        def unlisted(job: Job) -> bool:
            return self._words.unlisted(job.prompt, job.id)

        limit, order, after = int(asked["limit"]), asked["order"], asked["after"]
        page, more = self._jobs.page(limit, order, after, unlisted)
        data = [job.document() for job in page]
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else NO_ENDS
        true = _json({"object": "list", "data": data, **ends, "has_more": more})
        answers = (self._words.answer("list", job.prompt, job.id, true) for job in page)
        return next((answer for answer in answers if answer is not true), true)

    def _content(self, job: Job, variant: str) -> Answer:
        true = _file(job, variant)
        if true.status != 200:
            return true
        return self._words.answer(VARIANTS[variant][0], job.prompt, job.id, true)

    def _delete(self, job: Job) -> Answer:
        accepted = Answer()
        answer = self._words.answer("cancel", job.prompt, job.id, accepted)
        finished = job.status in ("completed", "failed")
        if answer is not accepted and not (finished and answer is ANSWERS["unsupported"]):
            return answer
        self._jobs.delete(job)
        gone = _json({"id": job.id, "object": "video.deleted", "deleted": True})
        return self._words.answer("cancelled", job.prompt, job.id, gone)


def _file(job: Job, variant: str) -> Answer:
    if job.status != "completed":
        return refusal(404, "not_ready", f"The video is not ready: it is {job.status}.")
    if variant not in VARIANTS:
        return refusal(400, "invalid_value", f"Use one of the variants {[*VARIANTS]}.", "variant")
    try:
        body = job.files[variant].read_bytes()
    except FileNotFoundError:  # deleted a moment ago
        return refusal(404, "not_found", "The video was deleted.")
    elsewhere = f"/v1/videos/{job.id}/files/{variant}"
    return Answer(body, kind=VARIANTS[variant][1], elsewhere=elsewhere)


def _json(document: Document) -> Answer:
    return Answer(json.dumps(document).encode())

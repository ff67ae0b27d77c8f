"""The provider: what a server of the OpenAI Videos protocol does, on virtual time. No sockets here.

Three kinds: `list` lists its jobs with their prompts, `key` honours an Idempotency-Key, `none` does
neither. It obeys the fault of the exchange, and knows on whose behalf each job was asked for, which
is what the invariants are checked against.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes import box
from tests.simulation.faults import Fault
from tests.simulation.replies import Reply, document, error, trouble

EPOCH = 1_795_348_800  # noon of 2026-11-22, when every run begins
PAGE = 2  # jobs on a page of the list, so that two are needed soon
_YESTERDAYS = {  # in every list: an account that was used before
    "id": "video_0",
    "object": "video",
    "status": "completed",
    "prompt": "what somebody asked for yesterday",
    "created_at": EPOCH - 86400,
}


@dataclass
class Job:
    """A job, and how it will go: `fate` is how it ends, `takes` how many seconds that takes."""

    id: str
    video_id: str
    asked: dict[str, Any]
    created: float
    takes: float
    fate: str
    key: str | None
    cancelled: bool = False
    completed_told: bool = False

    def film(self) -> bytes:
        """The file: an MP4 of its own; one that took long is uploaded in several parts."""
        length = 9000 if self.takes > 4 else 40
        content = (self.id.encode() * length)[:length]
        return box(b"ftyp", b"isom") + box(b"moov", b"m" * 20) + box(b"mdat", content)


@dataclass
class Studio:
    """`now` tells the time, `asker` for which video the current exchange is made."""

    kind: str
    now: Callable[[], float]
    asker: Callable[[], str]
    fates: list[tuple[str, float]] = field(default_factory=lambda: [("completed", 30.0)])
    list_lag: float = 0.0
    poll_lag: float = 0.0
    jobs: list[Job] = field(default_factory=list)

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes, fault: Fault | None
    ) -> Reply:
        """What the server says to a request, with that fault."""
        url = urlsplit(target)
        path = url.path.removeprefix("/v1/videos").strip("/")
        if method == "POST":
            return self._create(headers, json.loads(body), fault)
        if fault is not None and (reply := trouble(fault)) is not None:
            return reply
        if not path:
            return self._list(parse_qs(url.query), fault)
        job_id, _, content = path.partition("/")
        job = next((job for job in self.jobs if job.id == job_id), None)
        if job is None or self.now() < job.created + self.poll_lag:
            return error(404, "not_found")
        if method == "DELETE":
            return self._cancel(job)
        if not content:
            return self._poll(job, fault)
        return self._content(job, "thumbnail" in url.query, fault)

    def _create(self, headers: dict[str, str], asked: dict[str, Any], fault: Fault | None) -> Reply:
        accepted = fault is None or fault.value == "accepted" or fault.kind == "slow"
        job = self._accept(headers, asked) if accepted else None
        said = Reply(body=json.dumps(self._document(job)).encode()) if job else None
        if fault is None:
            assert said is not None
            return said
        match fault.kind:
            case "same-id" if len(self.jobs) > 1:
                return Reply(body=json.dumps(self._document(self.jobs[0])).encode())
            case "cut" | "half" if said:
                return Reply(body=said.body, ending="reset", keep=len(said.body) // 2)
            case "no-id" if job:
                return document({**self._document(job), "id": None})
        return trouble(fault) or said or Reply(ending="reset")

    def _accept(self, headers: dict[str, str], asked: dict[str, Any]) -> Job:
        key = headers.get("idempotency-key") if self.kind == "key" else None
        for job in self.jobs:
            if key is not None and job.key == key:
                return job
        fate, takes = self.fates[len(self.jobs) % len(self.fates)]
        number = len(self.jobs) + 1
        job = Job(f"video_{number}", self.asker(), asked, self.now(), takes, fate, key)
        self.jobs.append(job)
        return job

    def status(self, job: Job) -> str:
        """How the job stands in truth, whatever a fault makes of it."""
        if job.cancelled:
            return "cancelled"
        done = job.fate != "never" and self.now() >= job.created + job.takes
        return job.fate if done else "in_progress"

    def _document(self, job: Job) -> dict[str, Any]:
        status = self.status(job)
        done = status not in ("in_progress", "cancelled")
        elapsed = self.now() - job.created
        told = {
            **job.asked,
            "id": job.id,
            "object": "video",
            "status": status if elapsed else "queued",
            "progress": 100 if done else round(min(99, 100 * elapsed / job.takes)),
            "created_at": EPOCH + int(job.created),
            "completed_at": EPOCH + int(job.created + job.takes) if done else None,
            "error": None,
        }
        if status == "failed":
            told["error"] = {"code": "server_error", "message": "It could not be rendered."}
        return told

    def _poll(self, job: Job, fault: Fault | None) -> Reply:
        told = self._document(job)
        match fault.kind if fault else "":
            case "unknown-status":
                told["status"] = "meditating"
            case "backwards":
                told["progress"] = 1
            case "no-status":
                del told["status"]
        return document(told)

    def _list(self, query: dict[str, list[str]], fault: Fault | None) -> Reply:
        if self.kind != "list":
            return error(404, "not_found")
        known = [job for job in self.jobs if self.now() >= job.created + self.list_lag]
        newest = sorted(known, key=lambda job: -self.jobs.index(job))
        after = query.get("after", [""])[0]
        shown = [*(self._document(job) for job in newest), _YESTERDAYS]
        if after:
            shown = shown[[job["id"] for job in shown].index(after) + 1 :]
        return document({"object": "list", "data": shown[:PAGE], "has_more": len(shown) > PAGE})

    def _cancel(self, job: Job) -> Reply:
        if self.kind == "none" or self.status(job) != "in_progress":
            return error(405, "not_allowed")
        job.cancelled = True
        return document({"id": job.id, "deleted": True})

    def _content(self, job: Job, thumbnail: bool, fault: Fault | None) -> Reply:
        if thumbnail:
            return error(404, "no_thumbnail")
        film = job.film()
        if self.status(job) != "completed":
            return error(404, "not_ready")
        match fault.kind if fault else "":
            case "cut-length" | "cut-chunked" | "cut-close":
                framing = str(fault.kind).removeprefix("cut-") if fault else ""
                return Reply(body=film, ending="cut", framing=framing, keep=len(film) // 2)
            case "nothing":
                return Reply(body=b"")
            case "gzip":
                return Reply(body=film, headers={"Content-Encoding": "gzip"})
            case "wrong-type":
                return Reply(body=b"GIF89a" + film, headers={"Content-Type": "image/gif"})
            case "redirect":
                return Reply(302, headers={"Location": "http://169.254.169.254/latest/meta-data"})
        return Reply(body=film, headers={"Content-Type": "video/mp4"})

"""A job, and the workers that turn one after the other into a film."""

from __future__ import annotations

import logging
import secrets
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from local.studio.words import Document


@dataclass
class Job:
    """One video. Its status is a matter of the clock: it ends when it is made and `pace` passed.

    `pace` is in seconds; `created` and `finished` are in seconds since 1970.
    """

    prompt: str
    model: str
    size: str
    seconds: str
    pace: float
    error: Document | None = None
    instant: bool = False
    stuck: bool = False
    id: str = field(default_factory=lambda: f"video_{secrets.token_hex(12)}")
    created: float = field(default_factory=time.time)
    begun: bool = False
    rendered: float = 0.0
    files: dict[str, Path] = field(default_factory=dict)
    # Set last, so that whoever sees it sees the files or the error too.
    finished: float | None = None

    @property
    def status(self) -> str:
        """How the job stands now, in a word of the protocol."""
        if self.finished is None or time.time() < self.created + self.pace:
            return "in_progress" if self.begun else "queued"
        return "failed" if self.error else "completed"

    def document(self) -> Document:
        """The video object of the protocol, as it is now."""
        status = self.status
        done = status == "completed"
        completed = int(max(self.finished or 0, self.created + self.pace))
        waited = (time.time() - self.created) / self.pace if self.pace else 1.0
        return {
            "id": self.id,
            "object": "video",
            "model": self.model,
            "status": status,
            "progress": 100 if done else int(99 * min(self.rendered, waited, 1.0)),
            "created_at": int(self.created),
            "completed_at": completed if done else None,
            "seconds": self.seconds,
            "size": self.size,
            "prompt": self.prompt,
            "error": self.error if status == "failed" else None,
            "usage": {"cost": 0},
        }


class Jobs:
    """All jobs and their films. `workers` is how many are rendered at once."""

    def __init__(self, workers: int) -> None:
        self.closing = threading.Event()
        self.by_id: dict[str, Job] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="studio-", ignore_cleanup_errors=True)
        self._in_turn = ThreadPoolExecutor(workers)
        self._at_once = ThreadPoolExecutor(1)  # an instant job does not stand in the queue

    def add(self, job: Job) -> None:
        """Takes a job in. Returns at once, for an instant job when it is made."""
        self.by_id[job.id] = job
        made = (self._at_once if job.instant else self._in_turn).submit(self._make, job)
        if job.instant:
            made.result()

    def close(self) -> None:
        """Gives up every job; when it returns, no worker, ffmpeg or film is left."""
        self.closing.set()
        self._in_turn.shutdown(cancel_futures=True)
        self._at_once.shutdown(cancel_futures=True)
        self._folder.cleanup()

    def _make(self, job: Job) -> None:
        job.begun = True
        try:
            if job.stuck or job.error:
                job.rendered = 0.4
            else:
                self._render(job)
        except Exception as error:
            if self.closing.is_set():
                return
            logging.getLogger(__name__).exception("a film could not be rendered")
            job.error = {"code": "server_error", "message": str(error)}
        if not job.stuck:
            job.finished = time.time()

    def _render(self, job: Job) -> None:
        # Not at the top, because Pillow and ffmpeg would slow down every start.
        from local.studio.render import render

        def progress(share: float) -> None:
            if self.closing.is_set():
                raise RuntimeError("the studio closes")
            job.rendered = share

        folder = Path(self._folder.name, job.id)
        folder.mkdir()
        note = f"actionreel studio, {job.seconds} s, {job.size}, {job.model[:40]}"
        film, poster = render(folder, job.prompt, note, job.size, int(job.seconds), progress)
        job.files = {"video": film, "thumbnail": poster}

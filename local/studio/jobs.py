"""All jobs, and the workers that turn one after the other into a film."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path

from local.studio.fields import InvalidValueError
from local.studio.job import Job


class Jobs:
    """All jobs and their films. `workers` is how many are rendered at once; `on_end` is called with
    each job that is made, at once, though it may not have ended by its clock."""

    def __init__(self, workers: int) -> None:
        self.closing = threading.Event()
        self.on_end: Callable[[Job], None] = lambda job: None
        self.by_id: dict[str, Job] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="studio-", ignore_cleanup_errors=True)
        self._in_turn = ThreadPoolExecutor(workers)
        self._at_once = ThreadPoolExecutor(1)  # an instant job does not stand in the queue
        self._making: dict[str, Future[None]] = {}

    def add(self, job: Job) -> None:
        """Takes a job in, and returns at once."""
        workers = self._at_once if job.instant else self._in_turn
        self._making[job.id] = workers.submit(self._make, job)
        self.by_id[job.id] = job  # last: who finds it may delete it

    def page(
        self, limit: int, order: str, after: str, unlisted: Callable[[Job], bool]
    ) -> tuple[list[Job], bool]:
        """Up to `limit` jobs that come after the id `after` (from the first if it is ""), by age;
        and whether there are more. Raises InvalidValueError if there is no such id."""
        jobs = [*self.by_id.values()]
        if order == "desc":
            jobs.reverse()
        if after:
            ids = [job.id for job in jobs]
            if after not in ids:
                raise InvalidValueError("after")
            jobs = jobs[ids.index(after) + 1 :]
        # No further than needed: a job that is left out counts the lists that came to it.
        listed = [*islice((job for job in jobs if not unlisted(job)), limit + 1)]
        return listed[:limit], len(listed) > limit

    def wait_if_instant(self, job: Job) -> None:
        """Returns when an instant job is made or deleted, and at once for any other job."""
        if job.instant and (making := self._making.get(job.id)):
            with contextlib.suppress(CancelledError):
                making.result()

    def delete(self, job: Job) -> None:
        """Takes a job off the queue, or ends its ffmpeg, and deletes its files; then returns."""
        job.deleted = True
        if self.by_id.pop(job.id, None):  # else another call is at it
            making = self._making.pop(job.id)
            if not making.cancel():
                wait([making])
            shutil.rmtree(self._folder_of(job), ignore_errors=True)

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
            if self._given_up(job):
                return
            logging.getLogger(__name__).exception("a film could not be rendered")
            job.error = {"code": "server_error", "message": str(error)}
        if not job.stuck:
            job.finished = time.time()
            self.on_end(job)

    def _render(self, job: Job) -> None:
        # Not at the top, because Pillow and ffmpeg would slow down every start.
        from local.studio.render import render

        def progress(share: float) -> None:
            if self._given_up(job):
                raise RuntimeError("nobody waits for this film any more")
            job.rendered = share

        folder = self._folder_of(job)
        folder.mkdir()
        note = f"actionreel studio, {job.seconds} s, {job.size}, {job.model[:40]}"
        film, poster = render(folder, job.prompt, note, job.size, int(job.seconds), progress)
        job.files = {"video": film, "thumbnail": poster}

    def _given_up(self, job: Job) -> bool:
        return job.deleted or self.closing.is_set()

    def _folder_of(self, job: Job) -> Path:
        return Path(self._folder.name, job.id)

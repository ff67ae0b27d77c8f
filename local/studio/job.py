"""A job, as the protocol shows it."""

from __future__ import annotations

import secrets
import time
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
    remixed_from: str | None = None
    instant: bool = False
    stuck: bool = False
    id: str = field(default_factory=lambda: f"video_{secrets.token_hex(12)}")
    created: float = field(default_factory=time.time)
    begun: bool = False
    deleted: bool = False
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
            "remixed_from_video_id": self.remixed_from,
            "error": self.error if status == "failed" else None,
            "usage": {"cost": 0},
        }

"""The links of videos as the fakes make them, at noon."""

from __future__ import annotations

from actionreel import bootstrap
from actionreel.links import Links, last_day, token
from actionreel.models import Video
from local.stack import Stack
from tests.fakes import LINK_KEY, NOON, VIDEO_ID, a_video

BASE = "https://api.test"
LINKS = Links(BASE, lambda: LINK_KEY, 365, NOON)
VIDEO: Video = a_video()
TOKEN = token(LINK_KEY, "default", VIDEO_ID, last_day(NOON, 365), 0)
CONTENT = f"{BASE}/videos/{VIDEO_ID}/content?token={TOKEN}"
POSTER = f"{BASE}/videos/{VIDEO_ID}/poster?token={TOKEN}"


def content_link(stack: Stack, video_id: str) -> str:
    """The link of a video's file, whether or not there is one."""
    services = bootstrap.services()
    video = services.videos.get("default", video_id)
    assert video is not None
    return services.links(stack.url).content(video)

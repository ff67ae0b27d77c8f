"""What an adapter brings along to be tested: its provider's own words for all that can happen.

An adapter is done when `tests/providers/test_conformance.py` passes with its kit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actionreel.models import CancelOutcome, ErrorCode, VideoRequest
from actionreel.orders import Image, Offer, Order
from actionreel.ports import VideoProvider
from actionreel.providers.config import ProviderConfig
from tests.fakes import MP4
from tests.providers.server import Reply, Routes, Sent

KEY = "sk-a-key-that-nobody-may-see"
ANOTHER_KEY = "sk-the-key-that-took-its-place"
FILE = {"GET /the-file": Reply(200, MP4, {"Content-Type": "video/mp4"})}
REQUEST = VideoRequest(
    prompt="A paper boat on a canal", model="a-model", seconds=8, size="1280x720"
)
WITH_IMAGE = VideoRequest(
    prompt="A paper boat on a canal",
    model="a-model",
    seconds=8,
    input_reference_url="https://images.example/boat.png",
)
PNG = Image(b"\x89PNG the boat", "image/png", 1280, 720)


@dataclass(frozen=True)
class Kit:
    """`adapter` makes the provider; its key comes from the config, its address is the option
    `base_url`. Each scene is routes of a ProviderServer, in the provider's own words; bodies are
    composed from its documentation. `FILE` is where finished films of the server are.
    """

    name: str
    adapter: Callable[[ProviderConfig], VideoProvider]
    offer: Offer

    # What create sends for REQUEST: the method and path, headers that must be there, and the body,
    # as `read_body` reads it.
    create: str
    created_body: Mapping[str, Any]
    accepted: Routes  # answers to a create
    pending: Mapping[str, Routes]  # name -> answers to a poll of the accepted job
    completed: Mapping[str, Routes]  # with the routes of the film
    failed: Mapping[str, tuple[Routes, ErrorCode]]  # jobs that ended without a film
    refused: Mapping[str, tuple[Reply, ErrorCode]]  # certain refusals of a create
    throttled: Mapping[str, tuple[Reply, float | None]]  # refused for now, and when to come back
    gone: Routes  # answers to a poll of a job that the provider does not know
    create_headers: Mapping[str, str] = field(default_factory=dict)
    read_body: Callable[[Sent], Any] = lambda sent: sent.json
    in_doubt: Mapping[str, Reply] = field(default_factory=dict)  # beside those of every provider
    poll: str = "GET"  # the method of a poll
    cancels: Mapping[str, tuple[Routes, CancelOutcome]] = field(default_factory=dict)
    cannot_cancel: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    has_key: bool = True  # false for Bedrock, which signs with the function's own credentials
    with_image: Sequence[tuple[Order, Mapping[str, Any]]] = ()  # orders with images -> bodies
    no_file: Mapping[str, Routes] = field(default_factory=dict)  # completed, but the film is gone
    stranger: Mapping[str, Routes] = field(default_factory=dict)  # films at hosts that are private

    def order(self, **changes: Any) -> Order:
        """The order of the tests."""
        return Order(**{"request": REQUEST, "offer": self.offer, "key": "the-video-id", **changes})

"""Every error that Actionreel raises on purpose.

The class names are part of the contract: the state machine's `Retry` matches on some, and a caught
error is told to the reader by its name (`failures`), which may come from another release.

    ActionreelError
    ├── RequestError                 the HTTP request cannot be answered (carries its status)
    ├── InvalidActionError           a tag cannot be carried out as it is written
    ├── UnsafeUrlError               a stranger's URL must not be connected to
    ├── TooManyActionsError          more tags in one message than we act on
    ├── QuotaError                   a cap is reached, or everything is paused
    ├── CapReachedError              a conditional write found a cap reached
    ├── CrowdedError                 too many writes met on one item, so nothing was written
    ├── MessageMismatchError         a message id came again with another text
    ├── MessageSeenError             a message id came again: these are its videos
    ├── VideoNotFoundError           no such video for this tenant
    ├── StaleVideoError              a conditional write found the video in another state
    ├── WorkflowError                an execution could not be started, looked at or woken
    ├── RecordUnavailableError       the record could not be written, so nothing was asked
    ├── ProviderError
    │   ├── ProviderRejectedError    certainly refused, and asking again will not help
    │   ├── ProviderThrottledError   certainly refused for now (429)
    │   ├── ProviderUnavailableError certainly never reached
    │   │   └── KeyUnavailableError  for want of its key, which cannot be read now
    │   ├── JobNotFoundError         the provider does not know the job
    │   ├── NotListedError           the provider cannot say which of its jobs are ours
    │   └── OutcomeUnknownError      perhaps accepted, perhaps not; perhaps charged
    ├── ChatError                    trouble between us and a chat platform
    │   ├── ChatRefusedError         certainly refused, and sending again will not help
    │   ├── ChatThrottledError       certainly refused for now (429)
    │   ├── ChatUnavailableError     certainly never reached
    │   └── ChatInDoubtError         perhaps taken, perhaps not
    └── AssetError                   the provider finished, but its file cannot be kept
        ├── AssetIncompleteError     the file ended early: fetch it again
        ├── AssetUnavailableError    the provider does not hand the file out
        └── AssetUnusableError       what came is not a video that we can keep

Messages are written for the reader of the chat: one sentence, no secrets, no stack traces.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar


class ActionreelError(Exception):
    """The root. `code` and `retryable` are what the reader is told with the message."""

    code: ClassVar[str] = "internal"
    retryable: bool = False


_PASSING = ("not_now", "not_ready", "unavailable")


class RequestError(ActionreelError):
    """An HTTP request that cannot be answered; `status` is the HTTP status, `word` the code."""

    def __init__(self, status: int, word: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.word = word
        self.retryable = word in _PASSING


class InvalidActionError(ActionreelError):
    """A tag that cannot be carried out as it is written. The message says what is wrong."""

    code = "invalid_action"


class UnsafeUrlError(ActionreelError):
    """A stranger's URL that must not be connected to. `reason` is what it does, without the URL:
    links to files are secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The URL {reason}.")
        self.reason = reason


class TooManyActionsError(ActionreelError):
    """A tag beyond the number that one message may hold."""

    code = "too_many_actions"


class QuotaError(ActionreelError):
    """A cap is reached, or everything is paused: nothing was started. The message says which cap,
    and when it frees; `retry_after` is that in seconds, or how soon it is worth asking again;
    `soon` says that minutes are enough."""

    code = "quota"
    retryable = True

    def __init__(
        self, message: str, retry_after: float | None = None, *, soon: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.soon = soon


class CapReachedError(ActionreelError):
    """A conditional write was refused, because an account has no room for it by now."""


class CrowdedError(ActionreelError):
    """Too many others were writing the same items: nothing was written."""

    retryable = True

    def __init__(self) -> None:
        super().__init__("Too much happens at this moment; try again.")


class MessageMismatchError(ActionreelError):
    """A message id that was used before came again with another text."""


class MessageSeenError(ActionreelError):
    """A message id came again with the same text.

    `video_ids` has an entry for each of its creates, in order: the video that it made, None where
    it made none. `capped` are the places of those that a cap refused."""

    def __init__(self, video_ids: list[str | None], capped: Collection[int] = ()) -> None:
        super().__init__("This message was received before.")
        self.video_ids = video_ids
        self.capped = capped


class VideoNotFoundError(ActionreelError):
    """No such video, or not this tenant's: the two are told apart by nobody."""

    code = "not_found"

    def __init__(self, message: str = "There is no video with this id.") -> None:
        super().__init__(message)


class StaleVideoError(ActionreelError):
    """A conditional write was refused. `video` is the record as it stands, if there is one."""

    def __init__(self, video: Any) -> None:
        super().__init__("The video is in another state by now.")
        self.video = video


class WorkflowError(ActionreelError):
    """The execution of a video could not be started, looked at or woken."""

    retryable = True


class RecordUnavailableError(ActionreelError):
    """The record could not be written before the provider was asked, so it was not asked."""

    retryable = True


class ProviderError(ActionreelError):
    """Trouble between us and a video provider."""

    code = "provider_unavailable"


class ProviderRejectedError(ProviderError):
    """The provider refused, certainly and finally. `category` is the code that the reader gets."""

    code = "provider_rejected"

    def __init__(self, message: str, category: str = "provider_rejected") -> None:
        super().__init__(message)
        self.category = category


class ProviderThrottledError(ProviderError):
    """The provider refused for now (429): nothing was started, asking again later may work.

    `retry_after` is when, in seconds, if the provider said so.
    """

    code = "rate_limited"
    retryable = True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderUnavailableError(ProviderError):
    """The provider was never reached, or cannot answer now: nothing was started by this request."""

    retryable = True


class KeyUnavailableError(ProviderUnavailableError):
    """The deployment's secret cannot be read now: trouble of ours, which no other provider ends."""

    code = "internal"


class NotListedError(ProviderError):
    """The provider cannot say which of its jobs are ours: it has no list, or none that tells."""


class JobNotFoundError(ProviderError):
    """The provider does not know the job (yet, or any more)."""

    code = "provider_rejected"


class OutcomeUnknownError(ProviderError):
    """The request may have been accepted, and so charged; nobody can tell from the answer."""

    code = "outcome_unknown"


class ChatError(ActionreelError):
    """Trouble between us and a chat platform, a program that is called back, or a chat model."""


class ChatRefusedError(ChatError):
    """It was refused, certainly, and sending it again will not help. The message says what the
    platform said, in a sentence."""


class ChatThrottledError(ChatError):
    """It was refused for now (429): nothing was taken.

    `retry_after` is when to try again, in seconds, if the platform said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ChatUnavailableError(ChatError):
    """It was never reached: nothing was taken."""


class ChatInDoubtError(ChatError):
    """It may have been taken: nobody can tell from the answer."""


class AssetError(ActionreelError):
    """The provider finished the video, but its file could not be kept."""

    code = "storage"


class AssetIncompleteError(AssetError):
    """The file ended before it was whole."""


class AssetUnavailableError(AssetError):
    """The provider does not hand the file out: it answers with that HTTP `status`, if any."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AssetUnusableError(AssetError):
    """What the provider sent is not a video that we can keep."""

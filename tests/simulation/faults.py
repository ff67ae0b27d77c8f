"""What goes wrong in a run, and when: a fault strikes at the n-th request that it fits."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

# What befalls an invocation around one of its requests; every other kind is an answer to it.
#   crash    the sandbox is gone; `value`: the error that Step Functions is told
#   abandon  Step Functions is told that error, and the invocation goes on after `seconds`
#   stall    nothing happens for `seconds`, as in a frozen sandbox or on a slow network
CRASH, ABANDON, STALL = "crash", "abandon", "stall"
BEFALLS = (CRASH, ABANDON, STALL)


@dataclass
class Fault:
    """Strikes the requests number `first` to `first + times - 1` of those that it fits.

    `request` is a pattern for the request's name (`dynamodb.*`), `function` one for the function
    that makes it; `side` says whether what befalls comes before or after the request is carried
    out. `value` and `seconds` are the kind's own.
    """

    kind: str
    request: str = "*"
    function: str = "*"
    first: int = 1
    times: int = 1
    side: str = "before"
    value: Any = None
    seconds: float = 0.0
    seen: int = 0
    struck: int = 0

    def strikes(self, request: str, function: str) -> bool:
        """Whether it strikes this request; counts it if it fits."""
        if not (fnmatchcase(request, self.request) and fnmatchcase(function, self.function)):
            return False
        self.seen += 1
        if self.first <= self.seen < self.first + self.times:
            self.struck += 1
            return True
        return False

    def __str__(self) -> str:
        words = [self.kind]
        if self.kind in BEFALLS:
            words.append(self.side)
        words.append(f"{self.function}/{self.request}" if self.function != "*" else self.request)
        last = self.first + self.times - 1
        words.append(f"#{self.first}" if self.times == 1 else f"#{self.first}-{last}")
        if self.value is not None:
            words.append(str(self.value))
        if self.seconds:
            words.append(f"{self.seconds:g} s")
        return " ".join(words)

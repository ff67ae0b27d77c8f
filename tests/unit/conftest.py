"""What a unit test puts in place of the services does not stay for the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actionreel import bootstrap


@pytest.fixture(autouse=True)
def _services_as_before() -> Iterator[None]:
    before = bootstrap._services
    yield
    bootstrap.use(before)

"""Parameters that several routes take, with what the OpenAPI document says of them."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path

EXAMPLE_ID = "0199f3a0-7c1e-7d42-9a51-3f0b6c2d8e10"

# A plain string for the validation: an id that is malformed gets the 404 that an unknown one gets.
VideoId = Annotated[
    str,
    Path(
        description="The id of a video: `videoId` in results and records.",
        examples=[EXAMPLE_ID],
        json_schema_extra={"format": "uuid"},
    ),
]

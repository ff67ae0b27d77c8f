"""The routes of the tools: their schemas for a model's request, and their calls."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from actionreel import bootstrap, tools
from actionreel.routes.answers import gives
from actionreel.routes.examples import ARGUMENTS
from actionreel.routes.router import Router
from actionreel.tool_documents import ToolAnswer, ToolsView
from actionreel.tool_schemas import NAMES, Style, styled
from actionreel.tool_schemas import tools as tools_of

router = Router()

_ARGUMENTS = "The arguments, as the model wrote them: an object"
# A plain string for the validation: another name gets the 404 that tells which there are.
_Name = Annotated[
    str,
    Path(
        description="The tool.",
        examples=["create_video"],
        json_schema_extra={"enum": list(NAMES)},
    ),
]
_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="With it the same `create_video` again gives the same video.",
        examples=["call-17"],
    ),
]
_WRONG = (400, 404, 409, 413, 415, 422, 429, 503)


@router.get(
    "/tools",
    summary="The tools for agents, as a request to a model takes them in",
    description="Made from the models that there are, in the style of the model's API.",
    responses=gives(200, "The tools that can be used here", ToolsView, 422),
)
def get_tools(
    style: Annotated[
        Style, Query(description="Whose requests they are for.", examples=["anthropic"])
    ] = "openai",
) -> ToolsView:
    _ = router.tenant  # nobody without a key
    return ToolsView(tools=styled(tools_of(bootstrap.services().registry), style))


@router.post(
    "/tools/<name>",
    summary="Call a tool: create_video, get_video, list_videos or cancel_video",
    description="The arguments are those of the tool's schema at `/tools`.",
    responses=gives(200, "What the model is told", ToolAnswer, *_WRONG),  # type: ignore[arg-type]
)
def call_tool(
    name: _Name,
    arguments: Annotated[
        dict[str, Any] | None, Body(description=_ARGUMENTS, openapi_examples=ARGUMENTS)
    ] = None,
    idempotency_key: _Key = None,
) -> Response[dict[str, Any]]:
    """cancel_video has a route of its own in the template, to CancelVideoFunction."""
    answer = tools.call(
        name,
        arguments or {},
        router.tenant,
        bootstrap.services(),
        router.base_url,
        key=idempotency_key or None,
    )
    said = answer.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Response(200, "application/json", said)

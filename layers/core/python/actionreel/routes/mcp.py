"""The tools for agents by the Model Context Protocol: `POST /mcp`, streamable HTTP.

The protocol is the library's. It is spoken without sessions and answered with JSON, because API
Gateway's HTTP API cannot stream; each request has a server of its own.
"""

from __future__ import annotations

import json
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp.types import Tool as ListedTool

from actionreel import __version__, asgi, bootstrap, http_api, results, tools
from actionreel.errors import ActionreelError, RequestError
from actionreel.observability import logger
from actionreel.tool_schemas import Tool, answer_schema
from actionreel.tool_schemas import tools as tools_of

_HOME = ("127.0.0.1", "localhost", "[::1]")
_ABOUT = (
    "Makes videos from descriptions. create_video answers at once; look at the video with"
    " get_video, never sooner than its retryAfterSeconds says."
)


def answer(event: http_api.Event) -> dict[str, Any]:
    """The answer to a request, as API Gateway takes it.

    Raises RequestError for one without a tenant (401), with a body that is too large (413) or
    unreadable (400), and for a GET or DELETE (405): there are no streams and no sessions.
    """
    tenant = http_api.tenant(event)
    if event["requestContext"]["http"]["method"] != "POST":
        raise RequestError(405, "not_allowed", "This address takes POST only: it does not stream.")
    if len(http_api.body_bytes(event)) > http_api.MAX_BODY_BYTES:
        raise RequestError(413, "too_large", "The body can have at most 1 MB.")
    base_url = http_api.link_base(event)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        sessions = StreamableHTTPSessionManager(
            _server(tenant, base_url),
            json_response=True,
            stateless=True,
            security_settings=_security(base_url),
        )
        async with sessions.run():
            await sessions.handle_request(scope, receive, send)

    return asgi.call(application, event)


def _server(tenant: str, base_url: str) -> Server[dict[str, Any]]:
    """The server of one request, which acts for that tenant."""

    async def list_tools(_: Any, __: PaginatedRequestParams | None) -> ListToolsResult:
        found = tools_of(bootstrap.services().registry)
        return ListToolsResult(tools=[_listed(tool) for tool in found])

    async def call_tool(_: Any, params: CallToolRequestParams) -> CallToolResult:
        return _called(params.name, params.arguments or {}, tenant, base_url)

    return Server(
        "actionreel",
        version=__version__,
        title="Actionreel",
        instructions=_ABOUT,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _listed(tool: Tool) -> ListedTool:
    return ListedTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.parameters,
        output_schema=answer_schema(tool),
        annotations=ToolAnnotations(
            read_only_hint=tool.reads,
            destructive_hint=tool.destroys,
            idempotent_hint=tool.repeatable,
            open_world_hint=not tool.reads,
        ),
    )


def _called(name: str, arguments: dict[str, Any], tenant: str, base_url: str) -> CallToolResult:
    """What came of a call. What the model can put right is a result with a sentence for it; what
    its host has wrong, such as the tool's name, is an error of the protocol."""
    try:
        tools.check_name(name)
    except RequestError as unknown:
        raise MCPError(INVALID_PARAMS, str(unknown)) from None
    try:
        _check_text(arguments)
        found = tools.call(name, arguments, tenant, bootstrap.services(), base_url)
    except ActionreelError as error:
        advice = results.another_try(error)
        texts = [str(error), *([json.dumps(advice)] if advice["retryable"] else [])]
        return CallToolResult(content=[TextContent(text=text) for text in texts], is_error=True)
    except Exception as error:
        logger.exception("tool failed", extra={"tool": name, "error": type(error).__name__})
        raise MCPError(INTERNAL_ERROR, "Something went wrong on our side.") from None
    said = found.model_dump(mode="json", by_alias=True, exclude_none=True)
    text = TextContent(text=json.dumps(said, ensure_ascii=False))
    return CallToolResult(content=[text], structured_content=said)


def _check_text(arguments: dict[str, Any]) -> None:
    """Raises RequestError for half a surrogate pair, which cannot be written down."""
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RequestError(400, "unreadable", "The arguments are not readable.") from None


def _security(base_url: str) -> TransportSecuritySettings:
    """At home nobody needs a key, so a page that had its name lead to this machine must not get
    in: hosts and origins are this machine's. In the cloud the key is what lets in."""
    at_home = base_url.startswith("http://")
    hosts = [name for home in _HOME for name in (home, f"{home}:*")]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=at_home,
        allowed_hosts=hosts,
        allowed_origins=[f"http://{name}" for name in hosts],
    )

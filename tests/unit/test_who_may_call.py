"""Who may call what, in the template as SAM's transform leaves it: what CloudFormation gets."""

from __future__ import annotations

from typing import Any

import pytest

from local.template import Template
from tests import transformed

KEY, ANYBODY = "who has a key", "anybody"

# Each route, and who may call it. Whoever adds a route decides it here.
MAY_CALL = {
    ("post", "/actions"): KEY,
    ("get", "/videos"): KEY,
    ("get", "/videos/{videoId}"): KEY,
    ("delete", "/videos/{videoId}"): KEY,
    ("post", "/videos/{videoId}/retry"): KEY,
    ("delete", "/videos/{videoId}/links"): KEY,
    ("get", "/usage"): KEY,
    ("post", "/v1/videos"): KEY,
    ("get", "/v1/videos"): KEY,
    ("get", "/v1/videos/{videoId}"): KEY,
    ("delete", "/v1/videos/{videoId}"): KEY,
    ("get", "/v1/videos/{videoId}/content"): KEY,
    ("post", "/v1/videos/{videoId}/remix"): KEY,
    ("get", "/v1/models"): KEY,
    ("get", "/tools"): KEY,
    ("post", "/tools/{name}"): KEY,
    ("post", "/tools/cancel_video"): KEY,
    ("post", "/mcp"): KEY,
    ("get", "/mcp"): KEY,
    ("delete", "/mcp"): KEY,
    ("get", "/videos/{videoId}/content"): ANYBODY,  # its link has a token
    ("get", "/videos/{videoId}/poster"): ANYBODY,  # its link has a token
    ("head", "/videos/{videoId}/content"): ANYBODY,
    ("head", "/videos/{videoId}/poster"): ANYBODY,
    ("post", "/webhooks/{provider}/{token}"): ANYBODY,  # its address is a secret
    ("post", "/chat/{platform}"): ANYBODY,  # it is signed
    ("get", "/"): ANYBODY,
    ("get", "/static/{file}"): ANYBODY,
    ("get", "/instructions"): ANYBODY,
    ("get", "/openapi.json"): ANYBODY,
    ("get", "/docs"): ANYBODY,
    ("x-amazon-apigateway-any-method", "$default"): ANYBODY,  # says that there is nothing
}


@pytest.fixture(scope="module")
def resources() -> Any:
    return transformed.resources()


def test_each_route_asks_whom_it_should(resources: Any) -> None:
    paths = resources["HttpApi"]["Properties"]["Body"]["paths"]
    # NONE is no authorizer that there is: API Gateway takes such a route as one without any.
    meanings = {"NONE": ANYBODY, "TenantAuthorizer": KEY}
    found = {
        (method, path): [meanings[name] for one in route["security"] for name in one]
        for path, methods in paths.items()
        for method, route in methods.items()
    }
    assert found == {route: [who] for route, who in MAY_CALL.items()}


def test_at_home_the_same_routes_ask(resources: Any) -> None:
    at_home = {
        (str(route.method).lower(), route.path): KEY if route.authorizer else ANYBODY
        for route in Template({}).routes()
        if route.path is not None
    }
    assert at_home == {route: who for route, who in MAY_CALL.items() if route[1] != "$default"}
    authorizers = {route.authorizer for route in Template({}).routes()}
    assert authorizers == {None, "AuthorizerFunction"}


def test_the_authorizer_is_asked_as_its_function_expects(resources: Any) -> None:
    schemes = resources["HttpApi"]["Properties"]["Body"]["components"]["securitySchemes"]
    assert schemes.keys() == {"TenantAuthorizer"}
    authorizer = schemes["TenantAuthorizer"]["x-amazon-apigateway-authorizer"]
    where = authorizer.pop("authorizerUri")["Fn::Sub"][1]["__FunctionArn__"]
    assert where == {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]}
    assert authorizer == {
        "type": "request",
        "authorizerPayloadFormatVersion": "2.0",
        "enableSimpleResponses": True,
        # What an answer is kept by; a request without it is refused before anybody is asked.
        "identitySource": ["$request.header.Authorization"],
        "authorizerResultTtlInSeconds": 60,
    }


def test_api_gateway_may_ask_it_and_nobody_else(resources: Any) -> None:
    function = {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]}
    names = (function, {"Ref": "AuthorizerFunction"})
    [permission] = [
        resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::Permission"
        and resource["Properties"]["FunctionName"] in names
    ]
    assert permission["Action"] == "lambda:InvokeFunction"
    assert permission["Principal"] == "apigateway.amazonaws.com"
    source, parts = permission["SourceArn"]["Fn::Sub"]
    assert source.endswith("${__ApiId__}/authorizers/*")
    assert parts == {"__ApiId__": {"Ref": "HttpApi"}}


def test_the_authorizer_reads_keys_and_nothing_else(resources: Any) -> None:
    role = resources["AuthorizerFunctionRole"]["Properties"]
    statements = [
        statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert statements == [
        {
            "Sid": "KeysAlone",
            "Effect": "Allow",
            "Action": "dynamodb:GetItem",
            "Resource": {"Fn::GetAtt": ["VideoTable", "Arn"]},
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["KEY#*"]}},
        }
    ]


def test_only_the_authorizer_knows_of_tokens(resources: Any) -> None:
    template = Template({})
    knows = {
        name
        for name in template.functions()
        if any(variable.startswith("JWT_") for variable in template.environment(name))
    }
    assert knows == {"AuthorizerFunction"}

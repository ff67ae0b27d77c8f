"""Reads template.yaml: the local run declares nothing of its own that stands there already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
REGION = "us-east-1"
ACCOUNT = "123456789012"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: `!Ref X` is read as `{"Ref": "X"}`."""


def _short_tag(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {name: loader.construct_sequence(node)}


_Loader.add_multi_constructor("!", _short_tag)


@dataclass(frozen=True)
class Route:
    """A route of the HTTP API; `path` None is the $default route. `authorizer` is the function that
    says who may come, None for everybody."""

    method: str | None
    path: str | None
    function: str
    authorizer: str | None = None


_PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "local",
}


class Template:
    """The template with its parameters given and its references resolved to local names."""

    def __init__(self, parameters: dict[str, str], path: Path = ROOT / "template.yaml") -> None:
        document = yaml.load(path.read_text(), _Loader)  # _Loader is a SafeLoader
        self.resources: dict[str, dict[str, Any]] = document["Resources"]
        self.globals: dict[str, Any] = document["Globals"]["Function"]
        unknown = parameters.keys() - document["Parameters"].keys()
        if unknown:
            raise ValueError(f"template.yaml has no parameters {sorted(unknown)}")
        self.parameters = {
            name: str(parameters.get(name, parameter["Default"]))
            for name, parameter in document["Parameters"].items()
        }

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of every resource of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def functions(self) -> dict[str, dict[str, Any]]:
        """Every function's properties, with those of Globals underneath; layers add up."""
        functions = self.of_type("AWS::Serverless::Function")
        common = self.globals.get("Layers", [])
        return {
            name: {**self.globals, **own, "Layers": [*common, *own.get("Layers", [])]}
            for name, own in functions.items()
        }

    def environment(self, function: str) -> dict[str, str]:
        """The environment that the template gives a function."""
        own = self.functions()[function].get("Environment", {}).get("Variables", {})
        variables = {**self.globals["Environment"]["Variables"], **own}
        return {name: str(self.resolve(value)) for name, value in variables.items()}

    def routes(self) -> list[Route]:
        """Every route of the HTTP API."""
        return [
            Route(
                event["Properties"].get("Method"),
                event["Properties"].get("Path"),
                name,
                self._authorizer(event["Properties"]),
            )
            for name, event in self._events("HttpApi")
        ]

    def _authorizer(self, route: dict[str, Any]) -> str | None:
        api = (
            self.resources[route["ApiId"]["Ref"]].get("Properties", {}) if "ApiId" in route else {}
        )
        auth = api.get("Auth", {})
        name = route.get("Auth", {}).get("Authorizer", auth.get("DefaultAuthorizer", "NONE"))
        if name == "NONE":
            return None
        return str(auth["Authorizers"][name]["FunctionArn"]["GetAtt"]).partition(".")[0]

    def schedules(self) -> dict[str, float]:
        """The functions that run on a schedule, and how often, in seconds."""
        return {
            name: _seconds(event["Properties"]["Schedule"])
            for name, event in self._events("Schedule")
        }

    def rules(self) -> list[tuple[str, dict[str, Any]]]:
        """The functions that are called on events of EventBridge, with the rule's pattern."""
        return [
            (name, self.resolve(event["Properties"]["Pattern"]))
            for name, event in self._events("EventBridgeRule")
        ]

    def _events(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, properties in self.functions().items():
            for event in properties.get("Events", {}).values():
                if event["Type"] == kind:
                    yield name, event

    def machine(self, name: str) -> str:
        """What a state machine is called: its logical id, unless it has a name."""
        return str(self.resolve(self.resources[name].get("Properties", {}).get("Name", name)))

    def definition(self, properties: dict[str, Any]) -> str:
        """A state machine's definition with its substitutions made."""
        definition: str = (ROOT / properties["DefinitionUri"]).read_text()
        for name, value in properties["DefinitionSubstitutions"].items():
            definition = definition.replace(f"${{{name}}}", str(self.resolve(value)))
        return definition

    def resolve(self, value: Any) -> Any:
        """A value with its intrinsic functions resolved: Ref, GetAtt and Sub."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": name}:
                return self._reference(name)
            case {"GetAtt": attribute}:
                return self._attribute(*str(attribute).split(".", 1))
            case {"Sub": text}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: self._substitute(found[1]), text)
        return {name: self.resolve(item) for name, item in value.items()}

    def _substitute(self, name: str) -> str:
        return self._attribute(*name.split(".", 1)) if "." in name else self._reference(name)

    def _reference(self, name: str) -> str:
        if name in self.parameters:
            return self.parameters[name]
        if name in _PSEUDO_PARAMETERS:
            return _PSEUDO_PARAMETERS[name]
        if self.resources[name]["Type"] == "AWS::Serverless::StateMachine":
            return self._attribute(name, "Arn")
        is_bucket = self.resources[name]["Type"] == "AWS::S3::Bucket"
        return name.lower() if is_bucket else name

    def _attribute(self, name: str, attribute: str) -> str:
        match self.resources[name]["Type"], attribute:
            case "AWS::Serverless::Function", "Arn":
                return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
            case "AWS::Serverless::StateMachine", "Arn":
                return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{self.machine(name)}"
        return f"{self._reference(name)}.{attribute}"


def _seconds(rate: str) -> float:
    """`rate(5 minutes)` in seconds."""
    found = re.fullmatch(r"rate\((\d+) (second|minute|hour|day)s?\)", rate)
    if found is None:
        raise ValueError(f"the schedule {rate} does not run at home")
    return int(found[1]) * {"second": 1, "minute": 60, "hour": 3600, "day": 86400}[found[2]]

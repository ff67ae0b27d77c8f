"""Where the simulation takes hold of the product and of what it stands on, once in a process.

The handlers, the definition, the adapters, botocore, httpx and moto's DynamoDB, S3 and interpreter
are the real ones; time, chance, sockets that hang and the transport of botocore are the world's.
"""

from __future__ import annotations

import json
import logging
import os
import random
import time
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
import uuid6
from aws_lambda_powertools.utilities.parameters import base as parameters
from botocore.retries.quota import RetryQuota
from moto import mock_aws
from moto.core import serialize
from moto.core.botocore_stubber import BotocoreStubber
from moto.stepfunctions.parser.asl.utils import json_path

from actionreel import bootstrap, transport
from actionreel.aws import dynamodb_calls, dynamodb_starts, s3
from actionreel.chat import callback
from actionreel.observability import logger
from actionreel.settings import Settings
from local import stack
from local.moto_patches import patch_moto
from local.template import REGION
from tests.simulation import aws, chat_adapters, interpreter, sockets
from tests.simulation import world as worlds
from tests.simulation.functions import Functions
from tests.simulation.replies import KEY
from tests.simulation.studio import EPOCH
from tests.simulation.wire import HOST, Server
from tests.simulation.world import World

PART_BYTES = 4096  # of an upload, so that a small film has several


def _models() -> str:
    """The model of the local run, and a dearer one that is asked after a verified refusal."""
    [model] = json.loads(stack.MODELS.read_text())
    [offer] = model["offers"]
    model |= {"offers": [offer | {"usd_per_second": "0.1"}]}
    dearer = offer | {"name": "spare", "usd_per_second": "0.25"}
    spare = model | {"id": "spare", "offers": [dearer]}
    return json.dumps([model | {"fallbacks": ["spare"]}, spare])


class Seams:
    """The process, made ready to be simulated. `close` gives it back."""

    def __init__(self) -> None:
        self._patch = pytest.MonkeyPatch()
        self._aws = mock_aws(config={"stepfunctions": {"execute_state_machine": True}})
        self._quotas: list[Any] = []
        self.server = Server()
        self.logs: list[str] = []
        self.connected: list[Any] = []
        self._set_environment()
        patch_moto()
        self._aws.start()
        origin = self.server.origin
        template = stack.home_template(self.server.url, _models(), CallbackOrigins=origin)
        self._patch_time_and_chance()
        self._patch_botocore()
        sockets.patch(self._patch, self.server, self.connected)
        self._hasten_moto()
        self.functions = Functions(template)
        interpreter.install(self._patch, self.functions)
        stack.create_resources(template, KEY, chat_sections=chat_adapters.SECTIONS)
        settings = Settings.from_environment(stack.environment(template))
        self._services = {
            kind: bootstrap.AwsServices(settings.model_copy(update={"provider_recovery": kind}))
            for kind in ("list", "key", "none")
        }
        self._put_chats_in()
        self._listen()

    def close(self) -> None:
        """Gives the process back as it was."""
        bootstrap.use(None)
        self._aws.stop()
        self.server.close()
        self._patch.undo()

    def begin(self, world: World) -> None:
        """The next run is this one: everything is empty again."""
        aws.forget()
        interpreter.forget_threads()
        self.logs.clear()
        self.connected.clear()
        random.seed(world.seed)
        uuid6._last_v7_timestamp = None
        for quota in self._quotas:
            quota._available_capacity = quota._max_capacity
        for provider in vars(parameters)["DEFAULT_PROVIDERS"].values():
            provider.clear_cache()
        bootstrap.use(self._services[world.kind])
        worlds.active = world

    def end(self) -> None:
        """The run is over."""
        worlds.active = None

    def _set_environment(self) -> None:
        for name in [*stack.CLEARED, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_LAMBDA"]:
            self._patch.delenv(name, raising=False)
        self._patch.setenv("AWS_DEFAULT_REGION", REGION)
        self._patch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
        self._patch.setenv("AWS_ACCESS_KEY_ID", "simulated")
        self._patch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
        for name in ("moto", "localstack"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def _patch_time_and_chance(self) -> None:
        real, real_now = os.urandom, bootstrap.AwsServices.now

        def urandom(size: int) -> bytes:
            return worlds.active.entropy.randbytes(size) if worlds.active else real(size)

        def now() -> float:
            return EPOCH + worlds.active.scheduler.now if worlds.active else time.time()

        def sleep(seconds: float) -> None:
            (worlds.active or time).sleep(seconds)

        clock = SimpleNamespace(
            time=now, monotonic=now, sleep=sleep, time_ns=lambda: int(now() * 1e9)
        )
        records = (dynamodb_starts, dynamodb_calls)
        for module in (*records, transport, callback, botocore.endpoint, uuid6):
            self._patch.setattr(module, "time", clock)
        self._patch.setattr(os, "urandom", urandom)
        self._patch.setattr(uuid6, "secrets", SimpleNamespace(randbits=_randbits))
        self._patch.setattr(
            bootstrap.AwsServices,
            "now",
            lambda services: worlds.active.clock() if worlds.active else real_now(services),
        )

    def _put_chats_in(self) -> None:
        """Chats that the world can trouble, in place of real ones."""
        for services in self._services.values():
            for platform in chat_adapters.SECTIONS:
                chat = chat_adapters.SimulatedChat(
                    platform, services.chat_section, f"{self.server.origin}/chat"
                )
                services._chats[platform] = chat
        reader = chat_adapters.SimulatedReader()
        self._patch.setattr(bootstrap.AwsServices, "chat_reader", lambda services, name: reader)

    def _patch_botocore(self) -> None:
        send = BotocoreStubber.__call__
        begin = RetryQuota.__init__

        def call(stubber: Any, event_name: str, request: Any, **kwargs: Any) -> Any:
            world = worlds.active
            if world is None or world.scheduler.current.scope is None:
                return send(stubber, event_name, request, **kwargs)
            return aws.attempt(
                world, event_name, request, lambda: send(stubber, event_name, request, **kwargs)
            )

        def remembered(quota: Any, *args: Any, **kwargs: Any) -> None:
            begin(quota, *args, **kwargs)
            self._quotas.append(quota)

        self._patch.setattr(BotocoreStubber, "__call__", call)
        self._patch.setattr(RetryQuota, "__init__", remembered)
        self._patch.setattr(s3, "PART_BYTES", PART_BYTES)
        self._patch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)

    def _hasten_moto(self) -> None:
        """Two of moto's habits take a third of a run: it tries names for what is not in an answer,
        and parses each path of the definition each time."""
        pick = serialize.AttributePicker.__call__

        def plainly(picker: Any, context: Any) -> Any:
            if type(context.obj) is dict and not picker.response_transformers:
                return context.obj.get(context.key)
            return pick(picker, context)

        self._patch.setattr(serialize.AttributePicker, "__call__", plainly)
        self._patch.setattr(json_path, "parse", cache(vars(json_path)["parse"]))

    def allowed(self) -> list[Any]:
        """The addresses to which the product may connect."""
        return [(HOST, self.server.port), (HOST, self.server.closed_port)]

    def _listen(self) -> None:
        """Everything that is logged, formatted as it would be on Lambda."""
        powertools = logging.getLogger(logger.name)
        collector = _Collector(self.logs)
        collector.setFormatter(logger.registered_formatter)
        self._patch.setattr(powertools, "handlers", [collector])
        self._patch.setattr(powertools, "level", logging.INFO)
        root = logging.getLogger()
        self._patch.setattr(root, "handlers", [collector])


class _Collector(logging.Handler):
    """Keeps what is logged, as it would be written."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


def _randbits(bits: int) -> int:
    assert worlds.active is not None
    return worlds.active.entropy.getrandbits(bits)

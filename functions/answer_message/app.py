"""Do what a message asks for that was written in a chat, and answer it."""

from typing import Any

from actionreel import bootstrap, chat_answers
from actionreel.chats import TurnRef
from actionreel.observability import logger


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What the function raises goes on to Lambda, which names its class to the state machine."""
    turn = TurnRef.model_validate(event)
    where = {"tenant": turn.tenant, "turn_id": turn.turn_id}
    try:
        chat_answers.answer(turn, bootstrap.services())
    except Exception as error:
        logger.warning("message not answered", extra={**where, "error": type(error).__name__})
        raise
    logger.info("message answered", extra=where)
    return {}

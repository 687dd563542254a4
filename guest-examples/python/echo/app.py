"""Echo: replies with what it was sent, and counts the messages of each user."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import kv, log, outbound
from wit_world.imports.log import Level
from wit_world.imports.outbound import ReplyOptions
from wit_world.imports.types import Error_Quota, Event, Message, SessionEvent


class Handler(exports.Handler):
    """What the host calls: `handler` in wit/handler.wit. An exception of type `Err` is the handler's error text."""

    def on_message(self, message: Message) -> None:
        if message.session_event == SessionEvent.CLOSE:
            return
        if message.content is None:
            reply("Enter text to echo:")
            return
        count(message.from_addr or "")
        reply(message.content)

    def on_event(self, event: Event) -> None:
        """Acks and delivery reports: an echo does not care."""


def count(user: str) -> None:
    try:
        number = kv.incr(f"messages:{user}", 1)
    except Err as error:
        # An app may keep a limited number of keys; counting is not worth failing for.
        if not isinstance(error.value, Error_Quota):
            raise Err(error.value.value) from error
        log.log(Level.WARNING, f"not counted: {error.value.value}")
    else:
        log.log(Level.INFO, f"message {number} of {user}")


def reply(text: str) -> None:
    outbound.reply(text, ReplyOptions(close_session=False, helper_metadata=None))

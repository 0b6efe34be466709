"""The published language as an AsyncAPI 3.0 document, made from the contracts themselves.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import dataclasses
import inspect
import json
from datetime import datetime
from typing import Any

import msgspec

from oja_events.contracts import EVENTS, Event
from oja_events.envelope import Envelope
from oja_events.topology import EVENTS_EXCHANGE, SUBSCRIBERS, VHOST

CONTENT_TYPE = "application/cloudevents+json"
_REFERENCE = "#/components/schemas/{name}"
_EXCHANGE = {
    "name": EVENTS_EXCHANGE,
    "type": "topic",
    "durable": True,
    "autoDelete": False,
    "vhost": VHOST,
}


def document() -> dict[str, Any]:
    """Every event: its channel, who sends it, who receives it, what it looks like."""
    events = sorted(EVENTS.values(), key=lambda event: event.TYPE)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Oja events",
            "version": "v1",
            "description": "What the services tell each other. Every message is a CloudEvent in"
            " structured JSON mode. Readers pass over what they do not know.",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "broker": {"host": "rabbitmq:5672", "protocol": "amqp", "pathname": f"/{VHOST}"}
        },
        "channels": {event.__name__: _channel(event) for event in events},
        "operations": {
            name: operation for event in events for name, operation in _operations(event).items()
        },
        "components": {
            "messages": {event.__name__: _message(event) for event in events},
            "schemas": _schemas(events),
        },
    }


def as_json() -> str:
    """The document as it is published."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def owner(event: type[Event]) -> str:
    """The service that tells it."""
    return event.TYPE.split(".")[1]


def _channel(event: type[Event]) -> dict[str, Any]:
    return {
        "address": event.TYPE,
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": _EXCHANGE}},
    }


def _operations(event: type[Event]) -> dict[str, Any]:
    name = event.__name__
    told = {f"{owner(event)}.send.{name}": _operation("send", owner(event), name)}
    heard = {
        f"{service}.receive.{name}": _operation("receive", service, name)
        for service in SUBSCRIBERS.get(event, ())
    }
    return told | heard


def _operation(action: str, service: str, name: str) -> dict[str, Any]:
    channel = f"#/channels/{name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"}],
        "tags": [{"name": service}],
    }


def _message(event: type[Event]) -> dict[str, Any]:
    summary, _, description = (inspect.getdoc(event) or "").partition("\n\n")
    return {
        "name": event.TYPE,
        "title": event.__name__,
        "summary": " ".join(summary.split()),
        **({"description": " ".join(description.split())} if description else {}),
        "contentType": CONTENT_TYPE,
        "tags": [{"name": owner(event)}],
        "payload": {
            "allOf": [
                {"$ref": _REFERENCE.format(name="Envelope")},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": event.TYPE},
                        "source": {"const": f"/{owner(event)}"},
                        "data": {"$ref": _REFERENCE.format(name=event.__name__)},
                    },
                },
            ]
        },
    }


def _schemas(events: list[type[Event]]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([Envelope, *events], ref_template=_REFERENCE)
    for event in events:
        for field in dataclasses.fields(event):
            if datetime in (field.type, *getattr(field.type, "__args__", ())):
                _say_that_it_is_a_time(components[event.__name__]["properties"][field.name])
    return {name: _in_words_of_the_web(schema) for name, schema in sorted(components.items())}


def _say_that_it_is_a_time(schema: dict[str, Any]) -> None:
    for each in (schema, *schema.get("anyOf", ())):
        if each.get("type") == "string":
            each["format"] = "date-time"


def _in_words_of_the_web(schema: Any) -> Any:
    """JSON Schema reads patterns as JavaScript does, which has no \\A and no \\Z."""
    if isinstance(schema, dict):
        return {name: _in_words_of_the_web(value) for name, value in schema.items()}
    if isinstance(schema, list):
        return [_in_words_of_the_web(value) for value in schema]
    if isinstance(schema, str) and schema.startswith(r"\A"):
        return "^" + schema.removeprefix(r"\A").removesuffix(r"\Z") + "$"
    return schema

"""A request and an event that nothing is done for, on the libraries of Oja's processes.

granian serves `create_app`; `python -m stack.benchmarks.bare AMQP_URL` consumes.
"""

import asyncio
import os
import sys
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue
from flask import Flask
from flask.views import MethodView
from flask_jwt_extended import JWTManager, jwt_required
from flask_smorest import Api, Blueprint  # type: ignore[import-untyped]
from marshmallow import Schema, fields

QUEUE = "bare"
PUBLIC_KEY = "BARE_PUBLIC_KEY"
_PREFETCH = 64


class Item(Schema):
    sku = fields.Str(required=True)
    quantity = fields.Int(required=True)


class Cart(Schema):
    id = fields.Str()
    items = fields.List(fields.Nested(Item))


bare = Blueprint("bare", __name__)


@bare.route("/items")
class Items(MethodView):
    @jwt_required()  # type: ignore[untyped-decorator]
    @bare.arguments(Item)  # type: ignore[untyped-decorator]
    @bare.response(200, Cart)  # type: ignore[untyped-decorator]
    def post(self, item: dict[str, Any]) -> dict[str, Any]:
        return {"id": "one", "items": [item]}


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(
        API_TITLE="bare",
        API_VERSION="1",
        OPENAPI_VERSION="3.0.3",
        JWT_ALGORITHM="EdDSA",
        JWT_DECODE_ALGORITHMS=["EdDSA"],
        JWT_PUBLIC_KEY=os.environ[PUBLIC_KEY],
    )
    JWTManager(app)
    Api(app).register_blueprint(bare)
    return app


def consumer(url: str) -> FastStream:
    broker = RabbitBroker(url, default_channel=Channel(prefetch_count=_PREFETCH), logger=None)
    queue = RabbitQueue(QUEUE, durable=True, queue_type=QueueType.QUORUM)

    @broker.subscriber(queue, ack_policy=AckPolicy.ACK)
    async def consume(_body: bytes, _message: RabbitMessage) -> None:
        """Take it, and say so."""

    return FastStream(broker, logger=None)


if __name__ == "__main__":
    asyncio.run(consumer(sys.argv[1]).run())

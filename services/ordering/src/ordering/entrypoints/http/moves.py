"""Staff's moves of an order, shared by the two routes that offer them."""

from typing import Any
from uuid import UUID

from oja_web.auth import caller
from ordering.domain.order import Order
from ordering.domain.values import Tracking
from ordering.entrypoints.http.dependencies import deps
from ordering.use_cases import commands


def move(order_id: UUID, body: dict[str, Any], precondition: commands.Precondition) -> Order:
    """Bring the order to `body["status"]`; raises IllegalTransition, OrderNotFound."""
    by = f"staff {caller().user_id}"
    uow = deps().unit_of_work()
    if body["status"] == "shipped":
        tracking = Tracking(**body["tracking"]) if body["tracking"] else None
        return commands.ship_order(order_id, tracking, by=by, precondition=precondition, uow=uow)
    if body["status"] == "completed":
        return commands.complete_order(order_id, by=by, precondition=precondition, uow=uow)
    return commands.cancel_for_staff(
        order_id, body["reason"], by=by, precondition=precondition, uow=uow
    )

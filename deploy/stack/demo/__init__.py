"""`./oja demo`: one order from the first visit to the parcel, told as it happens."""


def demo() -> None:
    """Buy something in the running shop, ship it, and watch the events and mails."""
    from stack import status
    from stack.context import Stack
    from stack.demo.story import tell
    from stack.up import up

    stack = Stack()
    if not status.status(stack)["stack"]["ready"]:
        stack.choose(only_servers=False, demo=True)
        up(stack)
    tell(stack)

"""The commands that put things right, for people to read, judge and paste."""


def sql(service: str, statement: str) -> str:
    return f'./oja psql {service} -c "{statement}"'


def hear_again(service: str, event_id: str, outcome: str) -> str:
    """Have a service handle an event, given what became of it there so far.

    Every effect has a permanent key of its own, so handling an event anew repeats nothing.
    """
    if outcome == "parked":
        return f"./oja parked redrive {event_id} --service {service}"
    replay = f"./oja events replay {event_id} --to {service}"
    if outcome in ("missing", "waiting"):
        return replay
    forget = sql(service, f"DELETE FROM inbox WHERE event_id = '{event_id}'")  # noqa: S608  # nosec B608
    return f"{forget} && {replay}"

"""Where to go: what `up` and `env` print."""

from rich.table import Table

from stack import description
from stack.context import Stack
from stack.failure import Failure
from stack.home import read_json
from stack.report import out


def show(stack: Stack, headline: str) -> None:
    """The headline and the addresses for people."""
    found = description.public(stack)
    out.print(f"[bold green]{headline}[/bold green]")
    if stack.choices.only_servers:
        out.print(f"  How to reach the servers: {stack.home.description}")
        return
    out.print(_rows(_people(found)))


def show_addresses(stack: Stack) -> None:
    """Addresses for people and for programs; passwords stay in the file that is named."""
    known = read_json(stack.home.description)
    if not known:
        raise Failure("This stack has never been up; start it with ./oja up.")
    rows = _people(known) | {
        "Postgres": f"{known['postgres']['host']}:{known['postgres']['port']}  (./oja psql SERVICE)",
        "RabbitMQ": known["broker"]["admin_url"].rpartition("@")[2],
        "Redis": known["redis"]["url"].rpartition("@")[2],
        "Services": str(stack.home.env / "<service>.env"),
        "For programs": f"{stack.home.description} (with passwords)",
        "Logs": str(stack.home.log),
    }
    out.print(_rows(rows))


def _people(found: dict[str, dict[str, str]]) -> dict[str, str]:
    urls, administrator = found["urls"], found["admin"]
    return {
        "API": f"{urls['gateway']}/api",
        "Documentation": urls["docs"],
        "Sandbox": urls["sandbox"],
        "Mail": urls["mail"],
        "Administrator": f"{administrator['email']}, password in {administrator['password_file']}",
    }


def _rows(rows: dict[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for key, value in rows.items():
        table.add_row(f"  {key}", value)
    return table

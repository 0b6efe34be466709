"""Where to go: what `up` and `env` print."""

from rich.markup import escape

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
    _print(_people(found))


def show_addresses(stack: Stack) -> None:
    """Addresses for people and for programs; passwords stay in the file that is named."""
    known = read_json(stack.home.description)
    if not known:
        raise Failure("This stack has never been up; start it with ./oja up.")
    postgres = known["postgres"]
    rows = _people(known) | {
        "Postgres": f"{postgres['host']}:{postgres['port']}, or ./oja psql SERVICE",
        "RabbitMQ": known["broker"]["admin_url"].rpartition("@")[2],
        "Redis": known["redis"]["url"].rpartition("@")[2],
        "Services": str(stack.home.env / "<service>.env"),
        "For programs": f"{stack.home.description} (with passwords)",
        "Logs": str(stack.home.log),
    }
    _print(rows)


def _people(found: dict[str, dict[str, str]]) -> dict[str, str]:
    urls, administrator = found["urls"], found["admin"]
    return {
        "API": f"{urls['gateway']}/api",
        "Documentation": urls["docs"],
        "Sandbox": urls["sandbox"],
        "Mail": urls["mail"],
        "Administrator": f"{administrator['email']}, password in {administrator['password_file']}",
    }


def _print(rows: dict[str, str]) -> None:
    width = max(map(len, rows))
    for key, value in rows.items():
        out.print(f"  [dim]{key:<{width}}[/dim]  {escape(value)}")

"""The commands of ./oja."""

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from stack import keys, report
from stack.context import Stack
from stack.failure import Failure
from stack.home import CHECKOUT
from stack.operating import events, parked

NOT_READY = 3

app = typer.Typer(
    help="Oja on this machine: start it, watch it, test it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
admin = typer.Typer(help="Administrators of the shop.", no_args_is_help=True)
app.add_typer(admin, name="admin")
app.add_typer(keys.app, name="keys")
app.add_typer(events.app, name="events")
app.add_typer(parked.app, name="parked")

ServiceArgument = Annotated[
    str | None, typer.Argument(help="ordering, ordering.http, ordering-http-1, postgres …")
]


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Load the demo catalogue.")] = True,
    env_file: Annotated[
        Path | None,
        typer.Option(help="NAME=value lines that replace parts of the sandbox from now on."),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Forget an earlier --env-file.")
    ] = False,
    only: Annotated[
        str | None, typer.Option(help="`servers`: no service, no gateway.", metavar="servers")
    ] = None,
) -> None:
    """Start whatever does not run yet, and wait until all is ready."""
    from stack import summary
    from stack.up import choose, up

    stack = Stack()
    choose(stack, demo=demo, env_file=env_file, sandbox=sandbox, only=only)
    changed = up(stack)
    summary.show(stack, "Oja is up." if changed else "All is up already; nothing was changed.")


@app.command()
def down() -> None:
    """Stop every process of this stack. Data stays."""
    from stack.down import down

    report.out.print("Oja is down." if down(Stack()) else "Nothing was running.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show every process: pid, port, uptime, ready. Exit code 3 unless all are ready."""
    from stack import status as look

    found = look.status(Stack())
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        look.show(found)
    if not found["stack"]["ready"]:
        raise typer.Exit(NOT_READY)


@app.command()
def logs(
    service: ServiceArgument = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many old lines.")] = 50,
) -> None:
    """Print what processes say."""
    from stack.logs import show

    show(Stack(), service, lines=lines, follow=follow)


@app.command()
def restart(service: ServiceArgument) -> None:
    """Restart a service or one of its processes, one after the other, while people use the shop.

    Of catalog, identity, ordering, payments and notifier no request and no news is lost.
    """
    from stack.control import restart

    restart(Stack(), service or "")


@app.command()
def scale(
    wishes: Annotated[list[str], typer.Argument(metavar="SERVICE.ROLE=N", help="gateway.http=2")],
) -> None:
    """Run more or fewer processes of a kind, without touching the others."""
    from stack.control import scale

    scale(Stack(), wishes)


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the stack and delete its data, credentials and logs."""
    from stack.down import reset

    stack = Stack()
    if not yes:
        typer.confirm(f"Delete everything in {stack.home.path}?", abort=True)
    reset(stack)
    report.out.print("Deleted; the next `up` starts anew.")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="A service, or postgres for the superuser.")],
) -> None:
    """Open psql with the rights of a service. More arguments go to psql."""
    from stack.control import psql

    psql(Stack(), service, context.args)


@app.command()
def lag(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what waits to be published, compared, handled, or looked at by somebody."""
    from stack.operating.lag import lag

    lag(as_json=as_json)


@app.command()
def audit(
    since: Annotated[str, typer.Option(help="How far back: 90m, 24h, 7d.")] = "24h",
    watch: Annotated[bool, typer.Option("--watch", help="Again and again until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two of these.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, one line each.")] = False,
) -> None:
    """Tell whether stock, orders, money, mails and events add up. Exit code 1 if not."""
    from stack.operating.books import show

    raise typer.Exit(show(since=since, watch=watch, every=every, as_json=as_json))


@app.command()
def rebuild(
    projection: Annotated[str, typer.Argument(help="products: ordering's copy of them")],
) -> None:
    """Make a read model anew from what others told, while the shop runs."""
    from stack.operating.rebuild import rebuild

    rebuild(projection)


@admin.command("create")
def admin_create(
    email: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, help="Better typed in.")],
) -> None:
    """Make an administrator."""
    from stack.up import create_admin

    create_admin(Stack(), email, password)
    report.out.print(f"{email} is an administrator.")


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": ["--help"],
    }
)
def test(context: typer.Context) -> None:
    r"""Run tests: \[unit|contract|integration|e2e|chaos|all|long] \[pytest arguments]."""
    from stack.testing import run

    raise typer.Exit(run(context.args))


@app.command()
def nemesis(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long faults fall.")] = 30,
    seed: Annotated[
        int | None, typer.Option(help="Of the faults; the same ones again. Else a new one.")
    ] = None,
    orders_per_minute: Annotated[float, typer.Option(min=1, help="The load.")] = 40,
    report_file: Annotated[
        Path,
        typer.Option("--report", help="Written as .json and as .md."),
    ] = Path(".oja-nemesis/report"),
) -> None:
    """Let random faults fall upon a shop full of customers, one after the other.

    Kills, stops and restarts of every process, cut and swallowed connections, messages that come
    twice, late or in another order, a broker that loses all that it had, and trouble with Paystack
    and the mail server, on a stack of its own. Tells what customers saw and how long each took to
    heal. Ctrl-C ends the faults, and the judgement comes all the same. Exit code 1 if an order,
    money or a mail was lost or doubled, or something did not heal.
    """
    from stack.testing import nemesis

    nemesis(minutes, seed=seed, orders_per_minute=orders_per_minute, report_file=report_file)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="catalog, delivery, login, mail, orders")],
    quick: Annotated[bool, typer.Option("--quick", help="Within a minute, and rougher.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the results there too.")
    ] = None,
) -> None:
    """Measure on a stack of its own how fast something is, beside what the machine can do."""
    from stack.benchmarks import bench

    bench(name, quick=quick, json_file=json_file)


@app.command()
def lint() -> None:
    """Check style and types of everything."""
    from stack.testing import lint

    raise typer.Exit(lint())


@app.command()
def lock(
    upgrade: Annotated[bool, typer.Option(help="Take newer versions.")] = False,
    constraint: Annotated[
        list[Path] | None, typer.Option(help="A file that bounds versions, this once.")
    ] = None,
) -> None:
    """Compile requirements/*.txt from the pyproject files. Keeps the pins that are there."""
    from stack.lock import compile_all

    for file in compile_all(CHECKOUT, upgrade=upgrade, constraints=constraint or ()):
        report.out.print(f"{file.relative_to(CHECKOUT)}")


@app.command()
def env() -> None:
    """Tell how to reach everything in this stack."""
    from stack import summary

    summary.show_addresses(Stack())


def main() -> int:
    """Run the command line; a failure that people can act on becomes one sentence and a 1."""
    _register_demo()
    try:
        app(prog_name="./oja")
    except Failure as failure:
        report.failed(str(failure), failure.log)
        return 1
    except PermissionError as error:
        report.failed(
            f"You may not use {error.filename or 'what belongs to this stack'}: somebody else has"
            " started it, and only they (or root) can look at it and stop it."
        )
        return 1
    return 0


def _register_demo() -> None:
    if importlib.util.find_spec("stack.demo"):
        app.command("demo")(importlib.import_module("stack.demo").demo)

"""The operator's commands of a service: python -m <service>.entrypoints.admin <command>"""

import argparse
import inspect
from collections.abc import Callable, Mapping


def run_commands(service: str, commands: Mapping[str, Callable[..., None]]) -> None:
    """Run the command named on the command line; the help text is the functions' docstrings.

    A function's keyword-only parameters are the command's options: `if_missing: bool = False` is
    the switch --if-missing, `email: str` is --email with a value that must be given.
    """
    parser = argparse.ArgumentParser(prog=f"{service}-admin")
    choices = parser.add_subparsers(dest="command", required=True)
    for name, run in commands.items():
        command = choices.add_parser(name, help=(run.__doc__ or "").strip().split("\n")[0])
        for option in inspect.signature(run).parameters.values():
            _add_option(command, option)
    options = vars(parser.parse_args())
    commands[options.pop("command")](**options)


def _add_option(command: argparse.ArgumentParser, option: inspect.Parameter) -> None:
    name = f"--{option.name.replace('_', '-')}"
    if option.annotation is bool:
        command.add_argument(name, action="store_true")
    elif option.default is option.empty:
        command.add_argument(name, required=True)
    else:
        command.add_argument(name, default=option.default)

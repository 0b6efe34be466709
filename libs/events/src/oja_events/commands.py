"""The operator's commands of a service: python -m <service>.entrypoints.admin <command>"""

import argparse
from collections.abc import Callable, Mapping


def run_commands(service: str, commands: Mapping[str, Callable[[], None]]) -> None:
    """Run the command named on the command line; the help text is the functions' docstrings."""
    parser = argparse.ArgumentParser(prog=f"{service}-admin")
    choices = parser.add_subparsers(dest="command", required=True)
    for name, run in commands.items():
        choices.add_parser(name, help=(run.__doc__ or "").strip().split("\n")[0])
    commands[parser.parse_args().command]()

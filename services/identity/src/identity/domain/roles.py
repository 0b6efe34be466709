"""Roles are data, kept in tables; only these two names have a meaning for the code."""

CUSTOMER = "customer"
ADMIN = "admin"


class BeyondOwnPermissions(Exception):
    """Nobody gives, takes or touches permissions that they do not hold themselves."""


class LastAdmin(Exception):
    """Without this administrator nobody could appoint another one."""


def refuse_overreach(held: frozenset[str], touched: frozenset[str]) -> None:
    """Raises BeyondOwnPermissions unless every touched permission is held."""
    if not touched <= held:
        raise BeyondOwnPermissions("this takes permissions that you do not hold")

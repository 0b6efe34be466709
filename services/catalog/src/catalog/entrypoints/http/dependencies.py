"""How views reach what bootstrap has wired."""

from flask import current_app

from catalog.bootstrap import SERVICE, Dependencies


def deps() -> Dependencies:
    wired: Dependencies = current_app.extensions[SERVICE]
    return wired

"""Who is ready? Asked by the gateway on behalf of all services, at one of them."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

from flask import Flask, Response

from oja_web.auth import public
from oja_web.strict_json import json_response

TIMEOUT_SECONDS = 1.0
# Straight to the services: a proxy of the environment has no business between them.
_opener = build_opener(ProxyHandler({}))


def register_readiness_of_all(app: Flask, urls: Mapping[str, str]) -> None:
    """Serve GET /internal/readyz/all: 200 if every URL of {service: url} answers 200, else 503."""

    @public
    def readyz_all() -> Response:
        services = ask_all(urls)
        ready = all(each["ready"] for each in services.values())
        body = {"status": "ready" if ready else "unready", "services": services}
        return json_response(body, 200 if ready else 503, {"Cache-Control": "no-store"})

    app.add_url_rule("/internal/readyz/all", view_func=readyz_all)


def ask_all(urls: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """Ask every URL at the same time: {service: {"ready": bool, "ms": float}}."""
    with ThreadPoolExecutor(max_workers=max(1, len(urls))) as pool:
        return dict(zip(urls, pool.map(_ask, urls.values()), strict=True))


def _ask(url: str) -> dict[str, object]:
    started = time.perf_counter()
    try:
        with _opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
            ready = answer.status == 200
    except (OSError, HTTPException):  # refused, timed out, or any status that is not a success
        ready = False
    return {"ready": ready, "ms": round((time.perf_counter() - started) * 1000, 1)}

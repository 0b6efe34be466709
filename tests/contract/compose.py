"""docker-compose.yml as data, for the tests that hold it to the definitions in deploy/stack."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
JOBS = {name for name, container in CONTAINERS.items() if container["restart"] == "no"}
OUTSIDE_IMAGES = {"postgres", "rabbitmq", "redis", "gateway"}


def waits_for(name: str) -> dict[str, str]:
    """The containers that must be there first -> in which condition."""
    return {other: how["condition"] for other, how in CONTAINERS[name]["depends_on"].items()}


def mounts(name: str) -> dict[str, str]:
    """The named volumes of a container -> where it sees them."""
    found = {}
    for volume in CONTAINERS[name].get("volumes", []):
        short = isinstance(volume, str)
        source, target = volume.split(":") if short else (volume["source"], volume["target"])
        found[source] = target
    return found


def volumes_of_setup() -> dict[str, str]:
    """Folder under /out -> volume."""
    pairs = (volume.split(":") for volume in CONTAINERS["setup"]["volumes"])
    return {target[5:]: name for name, target in pairs if target.startswith("/out/")}

"""Container files by their own tools, and what each service must keep to."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
FILES = ("docker-compose.yml", "docker-compose.gpu.yml")


def checked(*command: str | Path) -> None:
    """A tool of the development environment is content."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_dockerfile_is_clean() -> None:
    """By hadolint."""
    checked(BIN / "hadolint", "Dockerfile")


@pytest.mark.parametrize("more", [(), ("--profile", "sandbox"), ("-f", FILES[0], "-f", FILES[1])])
def test_compose_understands_its_files(more: tuple[str, ...]) -> None:
    """By compose itself and by the specification's schema."""
    checked(BIN / "docker-compose", *more, "config", "-q")
    checked(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", *FILES)


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_every_service_is_hardened(name: str) -> None:
    """Read-only, without capabilities, limited, reached from this machine alone."""
    service: dict[str, Any] = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["cpus"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert ":latest" not in service["image"]


def test_no_secret_stands_in_an_environment() -> None:
    """They come as files."""
    for service in COMPOSE["services"].values():
        names = " ".join(service.get("environment", {})).lower()
        assert not any(word in names for word in ("secret", "token", "password", "api_key"))

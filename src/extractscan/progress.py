"""How the core tells of its progress without knowing a terminal."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Told of stages and steps; the command line draws them on standard error, a library user may ignore them."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin the stage ``name`` of ``total`` steps (None: unknown)."""

    def advance(self, steps: int = 1) -> None:
        """Count some more steps of the current stage as done."""

    def warn(self, message: str) -> None:
        """Say something that the user should know; may hold text from a log, the receiver neutralises it."""

    def note(self, message: str) -> None:
        """Say something that is neither a warning nor an error; may hold text from a log."""


class Silent:
    """An observer that listens to nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Ignore."""

    def advance(self, steps: int = 1) -> None:
        """Ignore."""

    def warn(self, message: str) -> None:
        """Ignore."""

    def note(self, message: str) -> None:
        """Ignore."""

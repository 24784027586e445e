"""The exceptions that a user may see, each with the exit code that it ends the command with."""

from __future__ import annotations

from typing import ClassVar


class ExtractscanError(Exception):
    """An error that is the user's to mend; its text is the whole message, on one line where it can be."""

    exit_code: ClassVar[int] = 4


class UsageError(ExtractscanError):
    """The command line or the configuration is wrong."""

    exit_code = 2


class InputError(ExtractscanError):
    """An input cannot be read, or has more bad rows than the user allows."""

    exit_code = 3


class EngineError(ExtractscanError):
    """The machines that should do the work cannot be reached, fail, or cannot hold it."""

    exit_code = 3

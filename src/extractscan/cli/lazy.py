"""Commands that are imported when they are called, so that ``--help`` does not pay for all of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from extractscan.cli.settings import add_settings

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN: dict[str, Any] = {
    "rich_markup_mode": None,  # rich costs as much start-up time as typer itself
    "pretty_exceptions_enable": False,
}


class LazyCommand(TyperCommand):
    """Stands for ``extractscan.cli.NAME``: its name and the first line of its help, until it is needed.

    The module has a function of that name, or, for a command that has commands, a ``typer.Typer`` named ``app``.
    """

    def __init__(self, name: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._loaded: TyperCommand | TyperGroup | None = None

    def loaded(self) -> Any:
        """Return the command itself: a ``TyperCommand`` or a ``TyperGroup``."""
        if self._loaded is None:
            module = import_module(f"extractscan.cli.{self.name}")
            function: Callable[..., Any] | None = getattr(module, str(self.name), None)
            app: typer.Typer
            if function is None:
                app = module.app
            else:
                app = typer.Typer(add_completion=False, **PLAIN)
                app.command(self.name)(function)
            command: Any = typer.main.get_command(app)
            command.name = self.name
            if function is not None:
                add_settings(command)
            self._loaded = command
        return self._loaded

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse the arguments of the command itself; its context goes on with it, not with this."""
        return self.loaded().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command itself."""
        return self.loaded().invoke(ctx)

    def get_params(self, ctx: Any) -> Any:
        """Return the arguments and options of the command itself."""
        return self.loaded().get_params(ctx)


def group_of(commands: dict[str, str]) -> type[TyperGroup]:
    """Return a kind of group that has these commands, with the first lines of their help, in their order."""

    class LazyGroup(TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            own = dict(self.commands)
            self.commands.clear()
            self.commands.update({name: LazyCommand(name, summary) for name, summary in commands.items()})
            self.commands.update(own)

    return LazyGroup

"""The HTML files that the bot sends: self-contained, without scripts, light and dark."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


@cache
def template(name: str) -> "Template":
    """Return a template of this folder. Reading one takes some milliseconds, so don't do it on the event loop."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # most days nobody asks for a page

    loader = PackageLoader("bot.tg.pages", "")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)

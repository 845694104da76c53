"""The privacy policy as a file to keep, which stays readable when the chat is deleted."""

from collections.abc import Sequence

from bot.domain.content import PolicySection
from bot.domain.model import POLICY_VERSION
from bot.i18n import Say
from bot.tg.pages.templates import template


def policy_page(say: Say, sections: Sequence[PolicySection]) -> bytes:
    """Return the page of a policy whose sections already name who runs the bot."""
    texts = {
        # Translators: title of the page with the privacy policy
        "title": say("Privacy policy"),
        # Translators: below the title of the privacy policy. %(version)s is a number.
        "version": say("Version %(version)s", version=POLICY_VERSION),
    }
    page = template("policy.html").render(say=say, texts=texts, sections=sections)
    return page.encode()

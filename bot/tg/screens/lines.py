"""Screens of Lines that were kept, changed or deleted, and of Drafts, which wait for their writer's decision."""

from dataclasses import replace
from typing import Final

from bot.domain.model import DraftReason, Step
from bot.domain.results import (
    Changed,
    ChangeWanted,
    Deleted,
    DeleteWanted,
    Dropped,
    EmptyText,
    ForwardedText,
    Kept,
    LineDiffers,
    LineGone,
    NothingKept,
    SetAside,
    ShorterWanted,
    TextOnly,
)
from bot.domain.typed import LINE_LIMIT
from bot.tg.actions import (
    ASK_DELETE_LINE,
    CHANGE_LINE,
    DELETE_LINE,
    DROP,
    KEEP,
    REPLACE,
    SEND,
    SHARE,
    SHORTEN,
    SHOW_LINE,
)
from bot.tg.screens.screen import LineCard, Screen, View, button, draft_card, private, shown
from bot.tg.screens.sharing import partner, quoted, text_again
from bot.tg.screens.shelf import name_button, with_feelings
from bot.tg.screens.start import hour_question, hour_rows
from bot.tg.screens.zones import clock_question, clock_rows


def _line_card(view: View, result: Kept | Changed | LineDiffers, text: str) -> Screen:
    """Show a text with the buttons of a Line. Those that change or delete it are valid for this revision only."""
    say = view.say
    line_id, shown = result.line_id, (result.line_id, result.revision)
    # Translators: button under "Kept"; it leads to a preview of what the partner would see, and shares nothing yet
    share = ((button(say("Share…"), SHARE(line_id)),),) if result.may_share else ()
    rows = (
        (name_button(view, line_id),),
        *share,
        (
            # Translators: button under "Kept"; the line can be worded anew
            button(say("Change"), CHANGE_LINE(*shown)),
            # Translators: button under "Kept"; the line can be deleted
            button(say("Delete"), ASK_DELETE_LINE(*shown)),
        ),
    )
    return _with_next_step(view, Screen(with_feelings(view, text), rows, card=LineCard(line_id)))


def _with_next_step(view: View, screen: Screen) -> Screen:
    """During the start, add the next step's question to a screen."""
    step = view.user.step if view.user else Step.READY
    if step is Step.HOUR:
        return replace(screen, text=f"{screen.text}\n\n{hour_question(view)}", rows=(*hour_rows(view), *screen.rows))
    if step is Step.ZONE:
        return replace(screen, text=f"{screen.text}\n\n{clock_question(view)}", rows=(*clock_rows(view), *screen.rows))
    return screen


def kept(view: View, result: Kept) -> Screen:
    if result.shared:
        # Translators: the line is stored, and the user has shared it. "/share" is a command and stays as it is.
        return _line_card(view, result, view.say("Kept. What you share of it is under /share."))
    # Translators: the user's line was stored. It must be true and calm.
    text = view.say("Kept, and shown to nobody.")
    if result.first:
        # Translators: after the very first line: there is nothing more to do
        text += " " + view.say("That was all of it.")
    return _line_card(view, result, text)


def changed(view: View, result: Changed) -> Screen:
    return _line_card(view, result, changed_text(view, shared=result.shared))


def changed_text(view: View, *, shared: bool) -> str:
    if shared:
        # Translators: the line has a new wording, but what the user shared of it keeps the words of the preview.
        # "/share" is a command and stays as it is.
        return view.say("Changed, for you. What you share of it stays as you saw it in the preview; /share has it.")
    # Translators: the user's line was replaced by its new wording
    return view.say("Changed, and shown to nobody.")


def line_differs(view: View, result: LineDiffers) -> Screen:
    # Translators: a tap under an older message about a line that was changed since; the line follows, then its buttons
    text = view.say("This line has been changed since. Now it reads:")
    return _line_card(view, result, text + "\n" + quoted(view.words.get("words", "")))


def change_wanted(view: View, result: ChangeWanted) -> Screen:
    say = view.say
    # Translators: after "Change"; the user then sends the new wording, or edits the message with Telegram's own means
    text = say("Send it the way you want it. Or edit your message above; I'll follow.")
    # Translators: button; the line stays as it is
    leave = button(say("Leave it as it is"), SHOW_LINE(result.line_id))
    return Screen(text, ((leave,),), card=LineCard(result.line_id))


def delete_wanted(view: View, result: DeleteWanted) -> Screen:
    say = view.say
    # Translators: asks once more before a line is deleted; the line follows
    parts = [say("Delete this line for good?"), quoted(view.words.get("words", ""))]
    # Translators: below the line that would be deleted; honest that Telegram's own chat is another matter
    parts.append(say("If your message is still in this chat, it stays until you delete it there too."))
    if result.shared:
        # Translators: follows the question whether to delete a line that the user has shared
        parts.append(say("What you share of it is taken back, unless it has been opened."))
    return Screen(
        "\n".join(parts),
        (
            (
                # Translators: button; deletes the line for good
                button(say("Delete it"), DELETE_LINE(result.line_id, result.revision)),
                # Translators: button; the line stays
                button(say("Keep it"), SHOW_LINE(result.line_id)),
            ),
        ),
        card=LineCard(result.line_id),
    )


def deleted(view: View, _: Deleted) -> Screen:
    return _with_next_step(view, Screen(deleted_text(view)))


def deleted_text(view: View) -> str:
    if view.swept:
        # Translators: the line was deleted
        return view.say("Deleted. I no longer have it.")
    # Translators: the line was deleted, but the disk still holds bytes of it, which are overwritten by themselves
    return view.say("Deleted. Its last traces on the disk are overwritten in a while, by themselves.")


def line_gone(view: View, _: LineGone) -> Screen:
    return Screen(line_gone_text(view))


def line_gone_text(view: View) -> str:
    # Translators: after a tap under a line that was deleted earlier
    return view.say("That line is already gone.")


def nothing_kept(view: View, _: NothingKept) -> Screen:
    # Translators: the user edited an old message of theirs of which no line is stored (deleted, ignored, or never one)
    return Screen(view.say("Nothing is kept from that message. If you want it as a line, send it as a new one."))


def set_aside(view: View, result: SetAside) -> Screen:
    maker = {
        DraftReason.TOO_LONG: _too_long,
        DraftReason.SECOND: _second,
        DraftReason.UNASKED: _unasked,
        DraftReason.OPENED: _opened,
        DraftReason.REPLY: _opened,
        DraftReason.REACTION: _reaction,
    }[DraftReason(result.reason)]
    screen = maker(view, result)
    return replace(screen, text=text_again(view) + screen.text, card=draft_card(result.draft_id))


def _too_long(view: View, result: SetAside) -> Screen:
    say = view.say
    if view.length is None:
        # Translators: the text is longer than a line may be. %(limit)s is 300.
        text = say("That's too long; a line has up to %(limit)s characters.", limit=LINE_LIMIT)
    else:
        # Translators: the text is longer than a line may be. %(n)s is its length in characters, %(limit)s is 300.
        text = say.plural(
            "That's %(n)s character; a line has up to %(limit)s.",
            "That's %(n)s characters; a line has up to %(limit)s.",
            view.length,
            limit=LINE_LIMIT,
        )
    if result.differs:
        # Translators: a long text would take the place of a line, which was changed meanwhile; that line follows
        changed = say("The line that it would replace has been changed since. Now it reads:")
        text = changed + "\n" + quoted(view.words.get("words", "")) + text
    return Screen(
        text,
        (
            # Translators: button; the text is cut. %(limit)s is 300.
            (button(say("Keep the first %(limit)s", limit=LINE_LIMIT), KEEP(result.draft_id)),),
            (
                # Translators: button; the user then sends a shorter text
                button(say("I'll shorten it"), SHORTEN(result.draft_id)),
                # Translators: button; the text is not kept
                button(say("Don't keep it"), DROP(result.draft_id)),
            ),
        ),
    )


def _second(view: View, result: SetAside) -> Screen:
    say = view.say
    there = quoted(view.words.get("words", ""))
    if result.differs:
        # Translators: a tap on "Replace"; the line it would replace was changed meanwhile and follows
        first = say("The line that it would replace has been changed since. Now it reads:")
    else:
        # Translators: a second text came as an answer to the same question; the line that is there follows
        first = say("There is a line to this question already:")
    text = "\n".join(
        (
            first,
            there,
            # Translators: below the line that is there; the answers are buttons: keep as another, replace, ignore
            say("What should happen to the new one?"),
        )
    )
    return Screen(
        text,
        (
            (
                # Translators: button; the text becomes a second line of the day
                button(say("Keep as another"), KEEP(result.draft_id)),
                # Translators: button; the text takes the place of the line that is quoted above
                button(say("Replace"), REPLACE(result.draft_id)),
            ),
            # Translators: button; the text is not kept
            (button(say("Don't keep it"), DROP(result.draft_id)),),
        ),
    )


def _unasked(view: View, result: SetAside) -> Screen:
    say = view.say
    return Screen(
        # Translators: a text came while no question was open
        say("Keep this as a line for today?"),
        (
            (
                # Translators: button; the text becomes a line
                button(say("Keep it"), KEEP(result.draft_id)),
                # Translators: button; the text is not kept
                button(say("Don't keep it"), DROP(result.draft_id)),
            ),
        ),
    )


def _opened(view: View, result: SetAside) -> Screen:
    say = view.say
    # Translators: button; a text that was typed under the partner's line is kept for oneself
    keep = button(say("Keep it as my line"), KEEP(result.draft_id))
    if result.answered:
        # Translators: a reply to a line of the partner's that was answered before
        text = say("You have answered this line already, and one answer goes with it. Keep this as a line of your own?")
        return Screen(text, ((keep,), (button(say("Don't keep it"), DROP(result.draft_id)),)))
    return Screen(
        # Translators: a text came after the user had opened a line of the partner's, whose name is %(name)s
        say("Send this to %(name)s, or keep it as your line?", name=partner(view)),
        (
            # Translators: button; leads to a preview of what the partner would get, and sends nothing yet
            (button(say("Send it…"), SEND(result.draft_id)),),
            (keep,),
            # Translators: button; the text is neither sent to the partner nor kept
            (button(say("Neither"), DROP(result.draft_id)),),
        ),
    )


def _reaction(view: View, result: SetAside) -> Screen:
    say = view.say
    return Screen(
        # Translators: the user put an emoji to the partner's opened line. %(emoji)s is that emoji.
        say(
            "Send %(emoji)s to %(name)s, as your answer? Otherwise it stays in this chat.",
            emoji=view.words.get("emoji", ""),
            name=partner(view),
        ),
        (
            (
                button(say("Send it"), SEND(result.draft_id)),
                button(say("Don't send it"), DROP(result.draft_id)),
            ),
        ),
    )


def shorter_wanted(view: View, _: ShorterWanted) -> Screen:
    # Translators: after "I'll shorten it". %(limit)s is 300. "/cancel" is a command and stays as it is.
    return Screen(view.say("Take your time. Send it in up to %(limit)s characters, or /cancel.", limit=LINE_LIMIT))


def dropped(view: View, _: Dropped) -> Screen:
    # Translators: the text that waited for a decision was let go
    return _with_next_step(view, Screen(view.say("Not kept.")))


def empty_text(view: View, _: EmptyText) -> Screen:
    # Translators: the message held nothing that can be read
    return Screen(view.say("I couldn't find any words in that."))


def text_only(view: View, _: TextOnly) -> Screen:
    return Screen(
        # Translators: a picture, voice message, sticker, file or the like came; kind, and says the way on
        view.say("Thank you. I keep text only, so this one stays with you. A few words about it would be kept.")
    )


def forwarded_text(view: View, _: ForwardedText) -> Screen:
    # Translators: a forwarded message came, which is somebody else's words
    return Screen(view.say("That was forwarded, so I left it. I keep only what you write yourself."))


SCREENS: Final = (
    private(Kept, kept, lambda use: use.lines.read_feelings),
    private(Changed, changed, lambda use: use.lines.read_feelings),
    private(ChangeWanted, change_wanted),
    private(DeleteWanted, delete_wanted, lambda use: use.lines.read_line),
    shown(Deleted, deleted),
    private(LineDiffers, line_differs, lambda use: use.lines.read_line),
    shown(LineGone, line_gone),
    shown(NothingKept, nothing_kept),
    private(SetAside, set_aside, lambda use: use.lines.read_draft),
    private(ShorterWanted, shorter_wanted),
    shown(Dropped, dropped),
    shown(EmptyText, empty_text),
    shown(TextOnly, text_only),
    shown(ForwardedText, forwarded_text),
)

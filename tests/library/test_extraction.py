"""Texts of the library reach the translators, with what they need to know."""

from io import BytesIO

from babel.messages.extract import extract

PROMPTS = """
[[prompt]]
id = "work.rain"
depth = 2
format = "name it"
text = "What was wet?"
examples = [
  "The shoes.",
  "All of it, “even” the “inside”.",
]
"""


def extracted(source: str) -> list[tuple[int, str, list[str]]]:
    found = extract("bot.library.extraction:extract_content", BytesIO(source.encode()))
    return [(line, str(message), comments) for line, message, comments, _ in found]


def test_prompts_carry_line_and_comment() -> None:
    example = "Example of an answer to work.rain: What was wet?"
    assert extracted(PROMPTS) == [
        (6, "What was wet?", ["Prompt work.rain, depth 2, name it"]),
        (8, "The shoes.", [example]),
        (9, "All of it, “even” the “inside”.", [example]),
    ]


def test_titles_carry_line_and_comment() -> None:
    theme = '[[theme]]\nid = "work"\ntitle = "Work"\n'
    cue = '[[cue]]\nid = "listen.nod"\nwish = "listen"\ntext = "A nod."\n'
    assert extracted(theme) == [(3, "Work", ["Theme work"])]
    assert extracted(cue) == [(4, "A nod.", ["Cue listen.nod"])]


def test_shelf_words_come_with_their_board() -> None:
    word = '[[word]]\nid = "sad"\nof = "heavy"\ntext = "sad"\nline = "close behind the eyes"\n'
    own = "take a word of your own language that belongs there"
    assert extracted(word) == [
        (4, "sad", [f"Word sad, on the board “heavy”, {own}"]),
        (5, "close behind the eyes", ["What the word “sad” is like"]),
    ]
    assert extracted('[[board]]\nid = "heavy"\nwords = ["tears"]\n') == [], "hints aren't translated"


def test_help_line_names_stay_untranslated() -> None:
    assert extracted('[[support]]\nid = "a"\nname = "A line"\nnumber = "1"\n') == []

"""Links and codes of Invites as people type, paste, mistype and forward them."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.domain.invitations import (
    Secret,
    find_link,
    looks_like_code,
    read_code,
    read_link,
    read_secret,
    read_typed,
)
from bot.domain.pairing import CODE_BITS, code_from, formatted_code

NUMBERS = st.integers(0, 2**CODE_BITS - 1)
LOOKALIKES = {"0": "0Oo", "1": "1IiLl"}


@st.composite
def as_typed(draw: st.DrawFn, code: str) -> str:
    """Write a code as somebody might: in any case, with look-alikes, grouped by anything that stands for a dash."""
    parts = []
    for symbol in code:
        parts.append(draw(st.sampled_from(LOOKALIKES.get(symbol, symbol + symbol.lower()))))
        parts.append(draw(st.sampled_from(["", "", "", "-", " ", " - ", "–", "\u2011"])))
    return draw(st.sampled_from(["", " ", "\n"])) + "".join(parts)


@given(NUMBERS, st.data())
def test_code_is_read_in_any_form(number: int, data: st.DataObject) -> None:
    code = code_from(number)
    assert read_code(formatted_code(code)) == code
    assert read_code(data.draw(as_typed(code))) == code


@given(NUMBERS, NUMBERS)
def test_two_codes_stay_different(one: int, other: int) -> None:
    assert (read_code(code_from(one)) == read_code(code_from(other))) is (one == other)


@given(st.text(max_size=40))
def test_read_code_uses_only_its_alphabet(text: str) -> None:
    code = read_code(text)
    assert code is None or (len(code) == 8 and set(code) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))


@pytest.mark.parametrize(
    "text", ["", "1234567", "123456789", "UUUUUUUU", "K7QX-9M2", "K7QX_9M2P", "é" * 8, "٣" * 8, "K7QX9M2ı"]
)
def test_text_that_is_no_code(text: str) -> None:
    assert read_code(text) is None
    assert read_typed(text) is None


LINK = "C4ycdLFXpUJvZssC2A04Y_"
CODE = "K7QX-9M2P"


@pytest.mark.parametrize("around", ['"{}"', "“{}”", "„{}“", "{}.", "({})", "«{}»", " {}!", "'{}',", "={}"])
def test_marks_around_a_code_are_ignored(around: str) -> None:
    assert read_secret(around.format(CODE)) == read_typed(around.format(CODE)) == Secret(code="K7QX9M2P")
    assert read_code(around.format(CODE)) == "K7QX9M2P"
    assert looks_like_code(around.format(CODE))
    assert looks_like_code(around.format("k7qx 9m2"))
    assert read_secret(around.format(LINK)) == read_typed(around.format(LINK)) == Secret(link=LINK)


LINKS = [
    f"https://t.me/ajar_bot?start={LINK}",
    f"http://t.me/ajar_bot?start={LINK}",
    f"t.me/b?start={LINK}",
    f"T.ME/ajar_bot?START={LINK}",
    f"HTTPS://T.Me/Ajar_Bot?Start={LINK}",
    f"https://www.t.me/ajar_bot?start={LINK}",
    f" http://telegram.me/a?start={LINK}\n",
    f"https://telegram.dog/ajar_bot?start={LINK}",
    f"https://t.me/ajar_bot/?start={LINK}",
    f"https://t.me/ajar_bot?utm=x&start={LINK}&lang=de",
    f"https://ajar_bot.t.me/?start={LINK}",
    f"tg://resolve?domain=ajar_bot&start={LINK}",
    f"tg://resolve?start={LINK}&domain=ajar_bot",
    f"TG:resolve?domain=ajar_bot&start={LINK}",
    f"https://t.me/share/url?url=https%3A%2F%2Ft.me%2Fajar_bot%3Fstart%3D{LINK}",
    f"https%3A%2F%2Ft.me%2Fajar_bot%3Fstart%3D{LINK}",
    f"\u2068https://t.me/ajar_bot?start={LINK}\u2069",
    f"https://t.me/ajar\u200b_bot?start={LINK[:9]}\u200d{LINK[9:]}\ufeff",
]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(
    "sentence",
    [
        "{}",
        "Would you try this with me? {}",
        "Magst du das mit mir ausprobieren?\n\n{}\n\nKein Muss.",
        "<{}>",
        "{}, whenever you like. " + "I mean it. " * 40,
        "{0} {0}",
    ],
)
def test_link_is_found_anywhere(link: str, sentence: str) -> None:
    text = sentence.format(link)
    assert find_link(text) == LINK
    assert read_typed(text) == read_secret(text) == Secret(link=LINK)


def test_two_links_are_no_single_invitation() -> None:
    assert find_link(f"{LINKS[0]} or {LINKS[0][:-1]}A") is None


@pytest.mark.parametrize(
    "text",
    [
        "https://t.me/ajar_bot",
        f"https://evil.example/?start={LINK}",
        f"nott.me/a?start={LINK}",
        "start=x",
        "",
        "?" * 99,
    ],
)
def test_other_addresses_are_no_invitation(text: str) -> None:
    assert find_link(text) is None


def test_truncated_link_is_still_a_link() -> None:
    assert find_link(f"https://t.me/ajar_bot?start={LINK[:-3]}") == LINK[:-3]


@pytest.mark.parametrize("payload", [LINK[:-1], LINK + "A", LINK[:-1] + "+", ""])
def test_other_payload_is_no_invitation(payload: str) -> None:
    assert read_link(payload) is None
    assert read_secret(payload) is None


@pytest.mark.parametrize(
    "typed",
    [
        *("code: K7QX-9M2P", "Code K7QX9M2P", "the code is K7QX-9M2P", "Hier: K7QX – 9M2P", "K7QX-9M2P please"),
        *("@ajar_bot K7QX-9M2P", "k7qx-9m2p", "k7qx 9m2p", "K7QX 9M2P", "code: K7QX 9M2P", "\u2066K7QX-9M2P\u2069"),
        *("K7QX\u200b-\u200b9M2P", "Ｋ７ＱＸ－９Ｍ２Ｐ", "K7QX\n9M2P", "K7QX\u00a09M2P", "K7QX-9M2P 👍", "k7qx9m2p"),
    ],
)
def test_code_is_found_among_few_words(typed: str) -> None:
    assert read_typed(typed) == read_secret(typed) == Secret(code="K7QX9M2P")
    assert looks_like_code(typed)


def test_four_words_around_a_code_are_few() -> None:
    assert read_typed("wait, the code is k7qx-9m2p") == Secret(code="K7QX9M2P")
    assert read_typed("wait, I think it is k7qx-9m2p") is None


def test_code_is_told_from_words_that_could_be_one() -> None:
    assert read_secret("tomorrow: K7QX-9M2P") == Secret(code="K7QX9M2P")
    assert read_secret("it says tomorrow") == Secret(code="T0M0RR0W")
    assert read_secret("tomorrow or together") is None


@pytest.mark.parametrize("line", ["Rindfleischetikettiert", "rindfleischetikettiert", "1234567890123456789012"])
def test_long_word_is_no_link(line: str) -> None:
    assert read_link(line), "after /join it could be one"
    assert read_typed(line) is None


@pytest.mark.parametrize("typed", ["wait, the code is k7qx-9m2p", "it says KXQR-WMTP", "kxqrwmtp, I think"])
def test_code_may_follow_join_with_words(typed: str) -> None:
    assert read_secret(typed)


@pytest.mark.parametrize(
    "typed",
    [
        *("K7QX-9M2", "K7QX9M2", "K7QX-9M2PP", "k7qx-9m2", "7QX-9M2P", "K7UX-9M2P", "code: K7QX-9M2", "K7QX 9M2"),
        *(
            "SYFX KRM5",
            "syfx-krm5",
            "k7qx9m2",
            "KXQR-WMTP",
            "kxqr-wmtp",
            "KXQRWMTP",
            "\u200fK7QX-9M2",
            "K7QX-9M2!",
            "ABCD-1234",
            "K7QX9M2PP",
        ),
    ],
)
def test_text_like_a_code_is_queried(typed: str) -> None:
    assert looks_like_code(typed)


@pytest.mark.parametrize(
    "typed",
    [
        *("2019-2023", "well-done", "long-term", "tomorrow", "together", "iphone15", "born 1984", "20301230", "", "🙂"),
        *("The dog waited at the door.", "bed at 3 am", "we had it", "a b c d e f 1 2", "covid-2019", "some fine days"),
        *("The order ABCD-1234 finally came today, and I was glad", "on 2026-11-22 we met", "24-12-2026", "so-so"),
        *(
            "Tomorrow",
            "Dienstag",
            "heute um 20:30",
            "Freitagabend",
            "0049-1701234567",
            "let it be-come",
            "love 2024",
            "room-2024",
        ),
    ],
)
def test_ordinary_line_is_not_a_code(typed: str) -> None:
    assert not looks_like_code(typed)


@pytest.mark.parametrize("text", ["bed at 3 am", "we had it", "a b c d e f 1 2", "The dog waited at the door."])
def test_prose_is_no_code(text: str) -> None:
    assert read_typed(text) is None


@given(NUMBERS, st.sampled_from(["{}", "code: {}", "Here it is: {}", "{} 🙂", "\u200f{}\u200f"]), st.booleans())
@example(0xFFFFFFFFFF, "{}", True)
def test_incomplete_code_is_never_a_line(number: int, around: str, first: bool) -> None:
    code = formatted_code(code_from(number))
    assume(any(map(str.isalpha, code)))
    assert read_typed(around.format(code)) == Secret(code=code_from(number))
    cut = code[1:] if first else code[:-1]
    plain = cut.replace("-", "")
    assume(any(map(str.isalpha, plain)) and any(map(str.isdecimal, plain)))
    assert looks_like_code(around.format(cut))


@given(st.text())
def test_no_text_breaks_the_search(text: str) -> None:
    for found in (read_secret(text), read_typed(text)):
        assert found is None or found.text
    assert isinstance(looks_like_code(text), bool)

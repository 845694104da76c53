"""Words for a Line: how many it can have, and how they are packed."""

from bot.domain.feelings import MOST, Feeling, added, distinct, pack, unpack

HEAVY, SAD, OWN = Feeling(shelf="heavy"), Feeling(shelf="sad"), Feeling(own='like "wet" wool\\')


def test_word_counts_once() -> None:
    assert added((HEAVY,), SAD) == (HEAVY, SAD)
    assert added((HEAVY, SAD), HEAVY) == (HEAVY, SAD)
    assert added((), Feeling(own="heavy")) != (HEAVY,), "an own word isn't one of the Shelf"


def test_line_has_room_for_six() -> None:
    six = tuple(Feeling(own=str(number)) for number in range(MOST))
    assert added(six[:-1], six[-1]) == six
    assert added(six, HEAVY) is None
    assert added(six, six[0]) == six


def test_words_keep_their_order() -> None:
    assert distinct([SAD, HEAVY, SAD, OWN, HEAVY]) == (SAD, HEAVY, OWN)


def test_words_come_back_as_they_were() -> None:
    assert unpack(pack([HEAVY, OWN, SAD])) == (HEAVY, OWN, SAD)
    assert unpack(pack([])) == ()


def test_words_are_packed_as_briefly_as_json_can() -> None:
    """What is sealed is padded to one size."""
    assert pack([HEAVY, Feeling(own="Würmchen")]) == '[{"shelf":"heavy"},{"own":"Würmchen"}]'

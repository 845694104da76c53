"""How the weights of the safety card are learned, and that those in content/ are of the sentences there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from bot import library
from bot.domain.content import SafetyWeights
from bot.library.training import Sentence, digest, sentences, train, variants, weights_path
from bot.library.weighing import Features, Weighing

FOLDER: Final = library.content_folder()
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "thing": ("guitar", "bike", "watch", "piano"), "food": ("soup", "bread", "cake", "stew"),
}  # fmt: skip


def learned() -> list[Sentence]:
    gone = "I gave my (guitar|bike|watch) (away|to her), I won't need it (any more|where I go)"
    kept = "I gave my (soup|bread|cake) (away|to her), I won't need it (any more|where I go)"
    return [
        Sentence(text, is_crisis, f"voice {index % 8}")
        for line, is_crisis in ((gone, True), (kept, False))
        for index, text in enumerate(variants(line))
    ]


@pytest.fixture(scope="module")
def small() -> Weighing:
    training = train(learned(), Features("en", KINDS))
    return Weighing("en", SafetyWeights(training.weights, KINDS))


@pytest.mark.parametrize("language", ["en", "de"])
def test_weights_match_their_sentences(language: str) -> None:
    """If this fails, run `ajar content train`."""
    assert digest(FOLDER, language) in weights_path(FOLDER, language).read_text(encoding="utf-8").splitlines()[0]


def test_learned_weights_cover_the_same_kind(small: Weighing) -> None:
    assert small.weight("I gave my piano away") > small.weight("I gave my stew away")


def test_learning_twice_gives_the_same() -> None:
    first, second = (train(learned(), Features("en", KINDS)) for _ in range(2))
    assert first == second
    assert first.outcome.crises == first.outcome.harmless == 3 * 6  # each is left out in three divisions


def test_voices_are_measured_when_left_out() -> None:
    one_voice = [each._replace(voice="one") if each.is_crisis else each for each in learned()]
    assert train(learned(), Features("en", KINDS)).outcome.found > 3
    assert train(one_voice, Features("en", KINDS)).outcome.found == 0


def test_long_text_hides_no_sentence(small: Weighing) -> None:
    said, among = (
        "I gave my bike away, I won't need it any more where I go.",
        "I gave my soup to her, I won't need it. " * 30,
    )
    assert small.weight(f"{among}{said} {among}") > small.weight(among) + 0.1


def test_text_in_another_language_weighs_nothing(small: Weighing) -> None:
    assert not small.found_in("Ich hab meine Gitarre verschenkt, I won't need it")
    assert not small.found_in("")
    assert not small.found_in("… 12 !")


def test_reasons_say_what_weighed_most(small: Weighing) -> None:
    reasons = small.reasons("I gave my piano away, I won't need it")
    assert reasons[0].feature == "<thing>"
    assert [abs(each.weight) for each in reasons] == sorted((abs(each.weight) for each in reasons), reverse=True)


def test_alternatives_are_expanded_predictably() -> None:
    assert variants("I want (out|to go)") == ["I want out", "I want to go"]
    assert variants("(a|b), (c|)") == ["a, c", "b,", "a,", "b, c"]
    assert len(variants("(a|b|c|d|e|f|g|h) (a|b|c|d|e|f|g|h)")) == 12
    assert variants("nothing (to choose)") == ["nothing (to choose)"]


def test_same_sentence_counts_once(tmp_path: Path) -> None:
    folder = tmp_path / "safety" / "sentences"
    folder.mkdir(parents=True)
    (folder / "crisis.en.txt").write_text("# one\nI want (out|out)\n\n# two\nI want out\n", encoding="utf-8")
    (folder / "harmless.en.txt").write_text("# one\nI want tea\n", encoding="utf-8")
    assert sentences(tmp_path, "en", ["A cup."]) == [
        Sentence("I want out", True, "one"), Sentence("I want tea", False, "one"),
        Sentence("A cup.", False, "examples of the library 0"),
    ]  # fmt: skip

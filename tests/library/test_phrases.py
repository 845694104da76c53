"""Texts that sound like a crisis or like fear of somebody, and texts that only have the same words.

The sentences are in content/safety/sentences/: the weights are learned from them, so that they are told apart says only
that nothing is broken. How good the card is on sentences that nobody has seen is in docs/safety-card.md.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

import pytest

from bot import library
from bot.i18n import say_in
from bot.library import phrases as phrases_module
from bot.library import training
from bot.library.phrases import LONGEST_TEXT, Phrases, _Concepts, _Phrase, _Rule
from tests.library.conftest import Content

FOLDER: Final = library.content_folder()
CONTENT: Final = library.load(FOLDER)
PHRASES: Final = Phrases(CONTENT.safety)


def sentences(kind: str, language: str) -> list[str]:
    return [each.text for each in training.sentences(FOLDER, language) if each.is_crisis == (kind == "crisis")]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("kind", "share"), [("crisis", 0.9), ("harmless", 0.96)])
def test_training_sentences_are_told_apart(kind: str, share: float, language: str) -> None:
    among = sentences(kind, language)[::4]
    wrong = [each for each in among if PHRASES.found_in(each) != (kind == "crisis")]
    assert len(wrong) <= (1 - share) * len(among), wrong


@pytest.mark.parametrize("language", ["en", "de"])
def test_library_examples_bring_no_card(language: str) -> None:
    """They are ordinary lines of many people's days."""
    say = say_in(language)
    lines = [say.content(each) for prompt in CONTENT.prompts.values() for each in prompt.examples]
    assert not [line for line in lines if PHRASES.found_in(line)]


@pytest.mark.parametrize(
    "text",
    [
        "ich verdiene zu sterben",
        "verzeiht mir bitte",
        "kümmert euch um meine kinder",
        "ich hab rattengift getrunken",
        "er hat ein messer",
        "er ortet mich",
        "zuhause bin ich nicht sicher",
        "meine tochter hat angst vor ihrem vater",
        "im standing by the tracks",
        "soon i wont be here",
        "i drank rat poison",
        "he has a knife",
        "he kicked the door in",
        "i hide from him in the bathroom",
    ],
)
def test_what_is_said_plainly_needs_no_weights(text: str) -> None:
    assert Phrases({name: replace(each, weights=None) for name, each in CONTENT.safety.items()}).found_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "I WANT TO DIE",
        "i dont wanna live animore",
        "I want to dieeeee",
        "sucidal",
        "Ich moechte sterben.",
        "ICH WILL NICHT MEHR LEBEN",
        "er schlaegt mich",
        "ich will mich umbirngen",
        "He said “I will kill you” and locked the door, he will kill me.",
        "“I want to die.”",
        "Good day at work. I want to die. Soup for dinner.",
        "② Es hört auf morgen.",
        "i want to disappear ½",
        "so hoffnungslos wirklich Ⅷ x",
    ],
)
def test_spelling_and_place_dont_matter(text: str) -> None:
    assert PHRASES.found_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "…",
        "“I want to die” is the second line of it.",
        "„Ich will nicht mehr leben“ heißt das Stück, wir gingen früher.",
        "Let Me Die In My Footsteps",
        "In the film she kills herself. I cried.",
        "I'm not going to kill myself.",
        "Ich bringe mich nicht um.",
    ],
)
def test_quoted_titled_and_negated_is_harmless(text: str) -> None:
    assert not PHRASES.found_in(text)


def test_longest_text_takes_no_long_time() -> None:
    """It is checked in a thread, which must not be kept busy for ever: nothing here backtracks."""
    text = ("i want to die, not, and he hits " * LONGEST_TEXT)[:LONGEST_TEXT]
    PHRASES.found_in(text)
    began = time.process_time()
    PHRASES.found_in("so very really " * (LONGEST_TEXT // 15))
    assert time.process_time() - began < 1


RULES: Final = """[[group]]
id = "filler"
words = ["just"]

[[group]]
id = "not"
words = ["not"]

[[group]]
id = "light"
words = ["going"]

[[group]]
id = "and"
words = ["and"]

[[group]]
id = "telling"
words = ["said"]

[[group]]
id = "spelt-right"
words = ["word"]

[[spelling]]
wanna = "want to"

[[never]]
phrases = ["in a film"]

[[concept]]
id = "boat"
phrases = ["boat", "small ship"]

[[concept]]
id = "hole"
phrases = ["hole/leak in it"]

[[rule]]
phrases = ["want/wish to? =sink $", "<not> * swim"]
unless = ["in soup"]

[[rule]]
together = ["boat + hole"]
unless = ["bucket"]

[[rule]]
scattered = ["hole + boat"]
unless = ["bucket", "harbour"]
"""


def _written(phrase: str, words: Mapping[str, Sequence[str]], choose: Random) -> str:
    """Return a text for a phrase of the list; now and then a word is missing, misspelt or another one."""
    text = []
    for element in phrase.rstrip("$").split():
        word = choose.choice(element.rstrip("?").split("/"))
        while word.startswith("<"):
            word = choose.choice(words[word[1:-1]])
        word = choose.choice(["not", "soup", "really"]) if word == "*" else word.lstrip("=")
        text.append(choose.choice([word] * 9 + [word[1:], word[:-1], "my", f"{word}, no"]))
    return " ".join(text)


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to live since I lost my job",
        "I don't want to live anymore since I lost my job",
        "everyone would be better off without me, also the team at work",
        "Since I lost my job I don't want to live",
        "I want to kill myself at work",
        "I thought about killing myself in the garage",
        "Seit der Kündigung will ich nicht mehr leben, die Arbeit war alles",
        "Seit ich den Job verloren habe will ich nicht mehr leben",
        "Ohne mich wären alle besser dran, auch das Team",
    ],
)
def test_everyday_word_excuses_no_plain_statement(text: str) -> None:
    assert PHRASES.found_in(text)


@pytest.mark.parametrize("text", ["Next time sit with me.", "Setz dich nächstes Mal zu mir."])
def test_kind_answer_is_no_threat(text: str) -> None:
    assert not PHRASES.found_in(text)


@pytest.mark.parametrize(
    "text",
    ["I can't do this crossword anymore", "I'm killing myself at the gym", "In dieser Stadt will ich nicht mehr leben"],
)
def test_everyday_word_decides_within_its_clause(text: str) -> None:
    assert not PHRASES.found_in(text)


@pytest.mark.parametrize("language", ["en", "de"])
def test_shortcut_agrees_with_comparing_every_phrase(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only phrases whose required words are all in a text are compared with it."""
    safety = replace(CONTENT.safety[language], weights=None)
    phrases = Phrases({language: safety})
    listed = [phrase for rule in safety.rules for phrase in (*rule.phrases, *rule.unless)] + list(safety.never)
    choose = Random(listed[0])
    texts = [_written(phrase, safety.words, choose) for phrase in listed]
    for names in (each for rule in safety.rules for each in (*rule.together, *rule.scattered)):
        said = [_written(choose.choice(safety.concepts[name]), safety.words, choose) for name in names.split(" + ")]
        texts += [" ".join(said), ". ".join(reversed(said))]
    texts += sentences("crisis", language)[::9] + sentences("harmless", language)[::9]
    found = [phrases.found_in(each) for each in texts]

    def by_first(listed: Sequence[tuple[_Rule, _Concepts]]) -> Mapping[str, Sequence[_Phrase]]:
        index: dict[str, list[_Phrase]] = {}
        for rule, concepts in listed:
            phrase = _Phrase(rule, concepts, ())
            for key in frozenset().union(*(elements[0] for elements in concepts[0])):
                index.setdefault(key, []).append(phrase)
        return index

    monkeypatch.setattr(phrases_module, "_by_rarest", by_first)
    compared = Phrases({language: safety})
    assert [compared.found_in(each) for each in texts] == found
    assert 0.2 < sum(found) / len(found) < 0.8


def test_rules_are_read_as_written(content: Content) -> None:
    (content.folder / "safety").mkdir()
    content.write("safety/en.toml", RULES)
    phrases = Phrases(library.load(content.folder).safety)
    for text in ("I wanna just sink.", "wishing sink, really", "not at all a swim", "I want to sink and rest"):
        assert phrases.found_in(text), text
    for text in ("I want to sinks", "I want to sink there", "not one two three four five swim", "want to sink, in soup",
                 "not going want to sink", "In a film I want to sink", "swim"):  # fmt: skip
        assert not phrases.found_in(text), text


def test_concepts_match_in_any_close_order(content: Content) -> None:
    (content.folder / "safety").mkdir()
    content.write("safety/en.toml", RULES)
    phrases = Phrases(library.load(content.folder).safety)
    for text in ("a boat with a hole in it", "There is a leak in it, my small ship", "My boat. It has a hole in it."):
        assert phrases.found_in(text), text
    for text in ("a boat", "a hole in it", "not boat, but a hole in it", "My boat and a bucket. A hole in it.",
                 "My boat. In the harbour. A hole in it.", f"A boat {'and water ' * 20} and a hole in it"):  # fmt: skip
        assert not phrases.found_in(text), text


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('id = "filler"', 'id = "fillers"', '1: there is no group "filler"'),
        ('"<not> * swim"', '"<nott> * swim"', '40: phrases has "<nott>"; there is no group of that name'),
        ('"<not> * swim"', '"* swim"', '40: phrases has "* swim", which begins with something that can be nothing'),
        ('"in soup"', '"in (soup)"', '41: unless has "(soup)", which is none of the forms in README.md'),
        ("unless", "unles", '41: "unles" is not known here; known are phrases, together, scattered, unless'),
        ('["boat + hole"]', '["boat + whole"]', '44: together has "whole"; there is no concept of that name'),
        ('together = ["boat + hole"]\n', "", '43: "phrases" is missing'),
        ("[[never]]", "[[nevr]]", '1: "nevr" is not known here; only [[group]] is'),
    ],
)
def test_mistake_in_phrases_is_reported(content: Content, old: str, new: str, sentence: str) -> None:
    (content.folder / "safety").mkdir()
    content.write("safety/en.toml", RULES.replace(old, new, 1))
    assert f"content/safety/en.toml:{sentence}" in library.check(content.folder)


WEIGHTS = "# Made by `ajar content train`.\nbias\t-129\nboat\t12\nboat hole\t-3\n# boat\t7\n"
MAKE_ANEW = "delete this file, and `ajar content train` makes it anew"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("\t12", "\t1.2", '3: this is "boat\t1.2"; expected words, a tab and a whole number'),
        ("\t12", "", '3: this is "boat"; expected words, a tab and a whole number'),
        ("boat\t", "\t", '3: this is "\t12"; expected words, a tab and a whole number'),
        ("\t12", "\t1_2", '3: this is "boat\t1_2"; expected words, a tab and a whole number'),
        ("boat\t12\n", "boat\t12\n\n", '4: this is ""; expected words, a tab and a whole number'),
        ("boat hole", "boat", '4: "boat" has a weight already'),
        ("bias", "bais", '1: the weight "bias" is missing, which every text has'),
    ],
)
def test_mistake_in_weights_is_reported(content: Content, old: str, new: str, sentence: str) -> None:
    with_weights(content, WEIGHTS.replace(old, new, 1))
    assert library.check(content.folder) == [f"content/safety/weights/en.tsv:{sentence}; {MAKE_ANEW}"]


def test_weights_are_read_as_written(content: Content) -> None:
    with_weights(content, WEIGHTS)
    weights = library.load(content.folder).safety["en"].weights
    assert weights
    assert weights.weights == {"bias": -129, "boat": 12, "boat hole": -3, "# boat": 7}


def test_unreadable_weights_are_reported(content: Content) -> None:
    with_weights(content, "")
    (content.folder / "safety/weights/en.tsv").write_bytes(b"bias\t-129\nB\xf6t\t12\n")
    mistake = "content/safety/weights/en.tsv:2: this is not UTF-8; save the file in that encoding"
    assert library.check(content.folder) == [mistake]
    (content.folder / "safety/kinds/en.toml").unlink()
    assert library.check(content.folder) == ["content/safety/kinds/en.toml:1: this file is missing"]


def test_mistake_in_what_weights_are_learned_from_is_reported(content: Content) -> None:
    with_weights(content, WEIGHTS)
    (content.folder / "safety/weights/en.tsv").unlink()
    (content.folder / "safety/sentences").mkdir()
    content.write("safety/sentences/crisis.en.txt", "# one\nNo more boats.\n")
    content.write("safety/kinds/en.toml", 'thing = "boat"\n')
    assert library.check(content.folder) == [
        "content/safety/kinds/en.toml:1: thing is a text; expected a list of texts",
        "content/safety/sentences/harmless.en.txt:1: this file is missing",
    ]
    content.write("safety/kinds/en.toml", 'thing = ["boat"]\n')
    content.write("safety/sentences/harmless.en.txt", "# one\nMore boats.\n")
    assert library.check(content.folder) == []


def with_weights(content: Content, weights: str) -> None:
    for folder in ("safety/weights", "safety/kinds"):
        (content.folder / folder).mkdir(parents=True)
    content.write("safety/en.toml", RULES)
    content.write("safety/kinds/en.toml", 'thing = ["boat"]\n')
    content.write("safety/weights/en.tsv", weights)

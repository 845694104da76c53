"""Reads the files of content/ and checks each text against the rules of content/README.md."""

import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from bot.domain.content import (
    ELLIPSIS,
    LONGEST_CUE,
    LONGEST_EXAMPLE,
    LONGEST_PROMPT,
    LONGEST_SHELF_LINE,
    LONGEST_SHELF_WORD,
    LONGEST_STEM,
    Cue,
    Format,
    PolicySection,
    Prompt,
    Role,
    SafetyPhrases,
    SafetyRule,
    SafetyWeights,
    Sensitivity,
    ShelfWord,
    Stem,
    Support,
    SupportKind,
    Tag,
    Theme,
    Wish,
)
from bot.domain.model import CEILING_AT_START, DEEPEST, POLICY_VERSION
from bot.i18n import BASE
from bot.library import Library
from bot.library.source import Problem, Source, Spot, Table, read, read_text
from bot.library.weighing import BIAS

_LONGEST_ID: Final = 40
_LONGEST_TITLE: Final = 24
_LONGEST_NAME: Final = 200
_EXAMPLES: Final = 2
_LONGEST_SHELF_ID: Final = 24
"""In characters: it has to fit into a button, together with the id of a Line."""
_LONGEST_HINT: Final = 30
_LONGEST_HEADING: Final = 60
_LONGEST_SECTION: Final = 800
_LONGEST_PHRASE: Final = 400
_EMERGENCIES: Final = tuple(kind for kind in SupportKind if not kind.is_help_line)
_NEEDED_GROUPS: Final = {"filler", "not", "light", "and", "telling", "spelt-right"}
_ELEMENT: Final = re.compile(r"\*|\$|(=?\w+|<[\w-]+>)(/(=?\w+|<[\w-]+>))*\??")
"""One position of a phrase."""
_WHOLE: Final = re.compile(r"-?[0-9]+")
_MAKE_ANEW: Final = "delete this file, and `ajar content train` makes it anew"
_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

# Product rule 7: words of the workshop, not of the clinic; neither cute nor revealing anybody's gender.
_NOT_OURS: Final = {
    "a word of the clinic": (
        r"heal(s|ed|ing|er|ers)?|journey\w*|(psycho)?therap\w*|\w*trauma\w*|vulnerab\w*|diagnos\w*|symptom\w*|disorder\w*"
        r"|trigger(s|ed|ing)?|toxic|mindful\w*|self-(care|love)|inner child|love languages?|safe space|attachment style"
    ),
    "too cute": r"hubby|wifey|sweetie\w*|soulmates?|better half|lovebirds?|hugs and kisses",
    "not gender-neutral": r"husbands?|wife|wives|boyfriends?|girlfriends?|fianc[ée]+s?",
}
_OF_TWO: Final = re.compile(r"\b(partners?|two of you|both of you|you two|you both)\b", re.IGNORECASE)
"""Words that show that a prompt presupposes a partner. There are other signs, which only the writer can judge."""


class Reading:
    """One reading of a folder. It remembers ids and texts to find duplicates."""

    def __init__(self, folder: Path, problems: list[Problem], support: Path | None = None) -> None:
        """`support` is a file like support.toml outside the folder; its entries come first."""
        self._folder = folder
        self._own_support = support
        self._problems = problems
        self._ids: dict[str, Spot] = {}
        self._texts: dict[str, Spot] = {}
        self.tables: dict[str, Table] = {}
        """Where each prompt was read, by its id."""

    def library(self) -> Library:
        """Return the library. Only use it if no problem was found."""
        themes = list({theme.id: theme for theme in self._themes()}.values())
        prompts = [prompt for theme in themes for prompt in self._prompts(theme)]
        if prompts and not any(prompt.depth == 1 and prompt.role is Role.TELLER for prompt in prompts):
            wanted = 'there is no prompt of depth 1 whose role is "teller", so nobody outside a pair can be asked'
            self._problems.append(Problem(f"{self._folder.name}/themes.toml", 1, wanted))
        self._strangers(themes)
        shelf = self._shelf()
        hints = self._hints({word.board for word in shelf})
        return Library.of(
            themes,
            prompts,
            self._cues(),
            self._support(),
            self._stems(),
            shelf,
            hints,
            self._policy(),
            self._safety(),
        )

    def _file(self, name: str) -> Source | None:
        return read(self._folder / name, f"{self._folder.name}/{name}", self._problems)

    def _text(self, name: str) -> str | None:
        return read_text(self._folder / name, f"{self._folder.name}/{name}", self._problems)

    def _themes(self) -> list[Theme]:
        source = self._file("themes.toml")
        return [self._theme(table) for table in source.tables("theme")] if source else []

    def _theme(self, table: Table) -> Theme:
        table.only("id", "title")
        theme = Theme(self._id(table, "theme"), table.text("title", _LONGEST_TITLE))
        self._words(table, theme.title, "title")
        return theme

    def _strangers(self, themes: list[Theme]) -> None:
        """Complain about files of prompts that belong to no theme."""
        known = {theme.id for theme in themes}
        for path in sorted((self._folder / "prompts").glob("*.toml")):
            if path.stem not in known:
                name = f"{self._folder.name}/prompts/{path.name}"
                self._problems.append(Problem(name, 1, f'there is no theme "{path.stem}" in themes.toml'))

    def _prompts(self, theme: Theme) -> list[Prompt]:
        source = self._file(f"prompts/{theme.id}.toml") if theme.id else None
        if source is None:
            return []
        prompts = [self._prompt(table, theme.id) for table in source.tables("prompt")]
        for depth in range(1, CEILING_AT_START + 1):
            if not any(prompt.depth == depth for prompt in prompts):
                source.complain(
                    (), f"there is no prompt of depth {depth}; everybody starts with a ceiling of {CEILING_AT_START}"
                )
        return prompts

    def _prompt(self, table: Table, theme: str) -> Prompt:
        table.only("id", "depth", "role", "format", "text", "examples", "sensitivities", optional=("tags",))
        first, second = (*table.texts("examples", LONGEST_EXAMPLE, _EXAMPLES), "", "")[:_EXAMPLES]
        prompt = Prompt(
            id=self._id(table, "prompt", lead=f"{theme}."),
            theme=theme,
            depth=table.number("depth", 1, DEEPEST),
            text=table.text("text", LONGEST_PROMPT),
            role=table.choice("role", Role),
            format=table.choice("format", Format),
            examples=(first, second),
            sensitivities=table.choices("sensitivities", Sensitivity),
            tags=table.choices("tags", Tag),
        )
        self.tables[prompt.id] = table
        self._words(table, prompt.text, "text")
        for index, example in enumerate(prompt.examples):
            self._words(table, example, "examples", index)
        _answerable(table, prompt)
        if {Tag.FREE_DAY, Tag.NOT_FREE_DAY} <= prompt.tags:
            table.complain("tags name both free-day and not-free-day, so it could never be asked", "tags")
        if prompt.role is Role.TELLER and (found := _OF_TWO.search(prompt.text)):
            table.complain(f'text says "{found[0]}", so its role is "either" or "receiver": only for a pair', "text")
        return prompt

    def _cues(self) -> list[Cue]:
        source = self._file("cues.toml")
        if source is None:
            return []
        cues = [self._cue(table) for table in source.tables("cue")]
        for wish in Wish:
            if not any(cue.wish is wish for cue in cues):
                source.complain((), f'there is no cue for the wish "{wish}"')
        return cues

    def _cue(self, table: Table) -> Cue:
        table.only("id", "wish", "text")
        wish = table.choice("wish", Wish)
        cue = Cue(self._id(table, "cue", lead=f"{wish}."), wish, table.text("text", LONGEST_CUE))
        if cue.text and not cue.text.endswith("."):
            table.complain("text does not end in a full stop; a cue is one sentence", "text")
        self._words(table, cue.text, "text")
        return cue

    def _stems(self) -> list[Stem]:
        source = self._file("stems.toml")
        if source is None:
            return []
        stems = [self._stem(table) for table in source.tables("stem")]
        for wish in Wish:
            if not any(wish in stem.wishes for stem in stems):
                source.complain((), f'there is no stem for the wish "{wish}"')
        return stems

    def _stem(self, table: Table) -> Stem:
        table.only("id", "text", optional=("wishes",))
        wishes = table.choices("wishes", Wish) if "wishes" in table.values else frozenset(Wish)
        stem = Stem(self._id(table, "stem"), wishes, table.text("text", LONGEST_STEM))
        if stem.text and not stem.text.endswith(f" {ELLIPSIS}"):
            table.complain(f'text does not end in " {ELLIPSIS}"; a stem is a beginning', "text")
        self._words(table, stem.text, "text")
        return stem

    def _shelf(self) -> list[ShelfWord]:
        source = self._file("shelf.toml")
        words: list[ShelfWord] = []
        for table in source.tables("word") if source else []:
            words.append(word := self._shelf_word(table))
            if not word.is_first and not any(each.id == word.board and each.is_first for each in words):
                table.complain(f'of is "{word.board}"; no word before this one opens a board of that name', "of")
        return words

    def _shelf_word(self, table: Table) -> ShelfWord:
        table.only("id", "text", "line", optional=("of",))
        name = self._id(table, "word")
        if len(name) > _LONGEST_SHELF_ID:
            table.complain(f"id is {len(name)} characters long; at most {_LONGEST_SHELF_ID} are allowed", "id")
        board = table.text("of", _LONGEST_ID) if "of" in table.values else name
        word = ShelfWord(name, board, table.text("text", LONGEST_SHELF_WORD), table.text("line", LONGEST_SHELF_LINE))
        self._words(table, word.text, "text")
        self._words(table, word.line, "line")
        return word

    def _hints(self, boards: Collection[str]) -> dict[str, dict[str, tuple[str, ...]]]:
        """Return the Hints of each language, by board. Nobody sees them, so any words are allowed."""
        paths = sorted((self._folder / "hints").glob("*.toml"))
        return {path.stem: self._hints_in(path.name, boards) for path in paths}

    def _hints_in(self, file: str, boards: Collection[str]) -> dict[str, tuple[str, ...]]:
        source = self._file(f"hints/{file}")
        hints: dict[str, tuple[str, ...]] = {}
        for table in source.tables("board") if source else []:
            table.only("id", "words")
            board = table.text("id", _LONGEST_ID)
            if board in hints:
                table.complain(f'id "{board}" is already used in this file', "id")
            elif board not in boards:
                table.complain(f'id is "{board}"; no word of shelf.toml opens a board of that name', "id")
            hints[board] = table.texts("words", _LONGEST_HINT)
            for index, word in enumerate(hints[board]):
                if not word.isalpha() or word != word.lower():
                    table.complain(f'words has "{word}"; expected a single word in lower case', "words", index)
        if source and (missing := sorted(set(boards) - hints.keys())):
            source.complain((), f"there are no words for {', '.join(missing)}")
        return hints

    def _policy(self) -> dict[str, tuple[PolicySection, ...]]:
        """Return the privacy policy of each language. All of them need the same number of sections."""
        paths = sorted((self._folder / "policy").glob("*.toml"))
        policies = {path.stem: self._policy_in(path.name) for path in paths}
        if BASE not in policies:
            self._problems.append(Problem(f"{self._folder.name}/policy/{BASE}.toml", 1, "this file is missing"))
        for language, sections in policies.items():
            if len(sections) != len(policies.get(BASE, sections)):
                wanted = f"this has {len(sections)} sections; expected as many as in {BASE}.toml"
                self._problems.append(Problem(f"{self._folder.name}/policy/{language}.toml", 1, wanted))
        return policies

    def _policy_in(self, file: str) -> tuple[PolicySection, ...]:
        source = self._file(f"policy/{file}")
        if source is None:
            return ()
        top = Table(source, (), {name: value for name, value in source.values.items() if name != "section"})
        top.only("version")
        if (version := top.number("version", 1, 999)) != POLICY_VERSION:
            top.complain(
                f"version is {version}, but POLICY_VERSION in bot/domain/model.py is {POLICY_VERSION}", "version"
            )
        return tuple(self._policy_section(table) for table in source.tables("section", beside=("version",)))

    def _policy_section(self, table: Table) -> PolicySection:
        table.only("heading", "text")
        section = PolicySection(table.text("heading", _LONGEST_HEADING), table.text("text", _LONGEST_SECTION))
        if unknown := set(re.findall(r"%(?!\(name\)s|\(contact\)s)\S*", section.text)):
            table.complain(f"text has {', '.join(sorted(unknown))}; known are %(name)s and %(contact)s", "text")
        self._words(table, section.heading, "heading")
        self._words(table, section.text, "text")
        return section

    def _safety(self) -> dict[str, SafetyPhrases]:
        """Return the phrases of each language that sound like a crisis or like fear of somebody."""
        paths = sorted((self._folder / "safety").glob("*.toml"))
        return {
            path.stem: self._safety_in(source, self._safety_weights(path.stem))
            for path in paths
            if (source := self._file(f"safety/{path.name}"))
        }

    def _safety_weights(self, language: str) -> SafetyWeights | None:
        """Return the weights that `ajar content train` has learned; a language may have none.

        What it learns from is only checked.
        """
        weights, crises = f"safety/weights/{language}.tsv", f"safety/sentences/crisis.{language}.txt"
        is_learned, is_learnable = ((self._folder / name).exists() for name in (weights, crises))
        for name in (crises, f"safety/sentences/harmless.{language}.txt") if is_learnable else ():
            self._text(name)
        if not (is_learned or is_learnable) or not (kinds := self._file(f"safety/kinds/{language}.toml")):
            return None
        table = Table(kinds, (), kinds.values)
        words = {name: table.texts(name, _LONGEST_HINT) for name in kinds.values}
        return SafetyWeights(self._weights(weights), words) if is_learned else None

    def _weights(self, file: str) -> dict[str, int]:
        """Return the weights in a file, which nobody edits: whatever is wrong with it, it is made anew."""
        text = self._text(file)
        weights: dict[str, int] = {}
        whole: dict[str, int] = {}  # one object for equal ones, as there are 23,000 weights but 400 values

        def complain(line: int, mistake: str) -> None:
            self._problems.append(Problem(f"{self._folder.name}/{file}", line, f"{mistake}; {_MAKE_ANEW}"))

        for number, line in enumerate((text or "").splitlines(), start=1):
            words, _, weight = line.rpartition("\t")
            if number == 1 and line.startswith("# "):
                continue
            if words in weights:
                complain(number, f'"{words}" has a weight already')
            elif not words or not _WHOLE.fullmatch(weight):
                complain(number, f'this is "{line}"; expected words, a tab and a whole number')
            else:
                weights[words] = whole.setdefault(weight, int(weight))
        if text is not None and BIAS not in weights:
            complain(1, f'the weight "{BIAS}" is missing, which every text has')
        return weights

    def _safety_in(self, source: Source, weights: SafetyWeights | None) -> SafetyPhrases:
        kinds = ("group", "concept", "spelling", "never", "rule")
        groups = {table.text("id", _LONGEST_ID): table for table in source.tables("group", beside=kinds)}
        for name in _NEEDED_GROUPS - groups.keys():
            source.complain((), f'there is no group "{name}"')
        for table in groups.values():
            table.only("id", "words")
        concepts: dict[str, tuple[str, ...]] = {}
        for table in source.tables("concept", beside=kinds, required=False):
            table.only("id", "phrases")
            concepts[table.text("id", _LONGEST_ID)] = self._phrases(table, "phrases", groups)
        rules = [self._safety_rule(table, groups, concepts) for table in source.tables("rule", beside=kinds)]
        return SafetyPhrases(
            tuple(rules),
            {name: table.texts("words", _LONGEST_HINT) for name, table in groups.items()},
            {
                short: table.text(short, _LONGEST_HINT)
                for table in source.tables("spelling", beside=kinds, required=False)
                for short in table.values
            },
            tuple(
                phrase
                for table in source.tables("never", beside=kinds, required=False)
                for phrase in self._phrases(table, "phrases", groups)
            ),
            concepts,
            weights,
        )

    def _safety_rule(self, table: Table, groups: Collection[str], concepts: Collection[str]) -> SafetyRule:
        found_by = ("phrases", "together", "scattered")
        needed = () if table.values.keys() & set(found_by) else ("phrases",)
        table.only(*needed, optional=(*found_by, "unless"))
        return SafetyRule(
            phrases=self._phrases(table, "phrases", groups) if "phrases" in table.values else (),
            together=self._named_concepts(table, "together", concepts) if "together" in table.values else (),
            scattered=self._named_concepts(table, "scattered", concepts) if "scattered" in table.values else (),
            unless=self._phrases(table, "unless", groups) if "unless" in table.values else (),
        )

    def _named_concepts(self, table: Table, key: str, concepts: Collection[str]) -> tuple[str, ...]:
        combinations = table.texts(key, _LONGEST_PHRASE)
        for index, names in enumerate(combinations):
            for name in names.split(" + "):
                if name not in concepts:
                    table.complain(f'{key} has "{name}"; there is no concept of that name', key, index)
        return combinations

    def _phrases(self, table: Table, key: str, groups: Collection[str]) -> tuple[str, ...]:
        phrases = table.texts(key, _LONGEST_PHRASE)
        for index, phrase in enumerate(phrases):
            elements = phrase.split()
            if elements and (elements[0] in {"*", "$"} or elements[0].endswith("?")):
                table.complain(f'{key} has "{phrase}", which begins with something that can be nothing', key, index)
            for element in elements:
                if not _ELEMENT.fullmatch(element):
                    table.complain(f'{key} has "{element}", which is none of the forms in README.md', key, index)
                for name in re.findall("<(.*?)>", element):
                    if name not in groups:
                        table.complain(f'{key} has "<{name}>"; there is no group of that name', key, index)
        return phrases

    def _support(self) -> list[Support]:
        sources = [(self._file("support.toml"), False)]
        if path := self._own_support:
            sources.insert(0, (read(path, str(path), self._problems), True))
        found: list[Support] = []
        for source, own in sources:
            if source:
                tables = source.tables("support", required=False, beside=() if own else ("emergency",))
                found += [self._support_entry(table, own=own) for table in tables]
                found += [] if own else self._emergency_numbers(source)
        return found

    def _emergency_numbers(self, source: Source) -> list[Support]:
        """Read the emergency numbers by country, which share one source and day."""
        where = ("emergency",)
        if not (values := source.values.get("emergency")):
            return []
        table = Table(source, where, values)
        table.only("source", "verified_on", "numbers")
        address, day = table.text("source", _LONGEST_NAME), table.day("verified_on")
        if not address.startswith("https://"):
            table.complain("source does not begin with https://", "source")
        found = []
        for country, numbers in values.get("numbers", {}).items():
            of_one = Table(source, (*where, "numbers", country), numbers)
            if not re.fullmatch("[A-Z]{2}", country):
                of_one.complain(f'country is "{country}"; expected two capital letters like DE')
            of_one.only(optional=_EMERGENCIES)
            if numbers.keys() not in ({"emergency"}, {"ambulance", "police"}):
                of_one.complain('expected an "emergency" number, or an "ambulance" and a "police" one')
            for kind in (each for each in _EMERGENCIES if each in numbers):
                number = of_one.text(kind, _LONGEST_NAME)
                if not re.fullmatch("[0-9]{2,5}", number):
                    of_one.complain(f'{kind} is "{number}"; expected two to five digits')
                found.append(Support(f"{country} {kind}", SupportKind(kind), country, "", number, "", address, day))
        return found

    def _support_entry(self, table: Table, *, own: bool) -> Support:
        table.only("id", "kind", "country", "name", "source", "verified_on", optional=("number", "url"))
        entry = Support(
            id=self._id(table, "support"),
            kind=table.choice("kind", SupportKind),
            country=table.text("country", _LONGEST_NAME),
            name=table.text("name", _LONGEST_NAME),
            number=table.text("number", _LONGEST_NAME),
            url=table.text("url", _LONGEST_NAME),
            source=table.text("source", _LONGEST_NAME),
            verified_on=table.day("verified_on"),
            own=own,
        )
        if not (entry.number or entry.url):
            table.complain('there is neither a "number" nor a "url"')
        if entry.country and not re.fullmatch("[A-Z]{2}", entry.country):
            table.complain(f'country is "{entry.country}"; expected two capital letters like DE', "country")
        for key, address in (("url", entry.url), ("source", entry.source)):
            if address and not address.startswith("https://"):
                table.complain(f"{key} does not begin with https://", key)
        return entry

    def _id(self, table: Table, kind: str, lead: str = "") -> str:
        name = table.text("id", _LONGEST_ID)
        if not name:
            return ""
        if not (name.startswith(lead) and _SLUG.fullmatch(name.removeprefix(lead))):
            after = f'"{lead}" and then ' if lead else ""
            table.complain(f'id is "{name}"; expected {after}lower-case letters, digits and single hyphens', "id")
        first = self._ids.setdefault(f"{kind} {name.casefold()}", table.spot("id"))
        if first != table.spot("id"):
            table.complain(f'id "{name}" is already used at {first}', "id")
        return name

    def _words(self, table: Table, text: str, *at: str | int) -> None:
        """Check a shown text: it occurs only once, because translators see it once, and uses no unsuitable words."""
        if not (plain := " ".join(text.casefold().split())):
            return
        if "!" in text:
            table.complain(f"{at[0]} has an exclamation mark", *at)
        for reason, pattern in _not_ours().items() if _any_not_ours().search(plain) else ():
            if found := pattern.search(text):
                table.complain(f'{at[0]} says "{found[0]}", which is {reason}', *at)
        spot = table.spot(*at)
        first = self._texts.setdefault(plain, spot)
        if first != spot:
            table.complain(f"{at[0]} is the same as at {first}", *at)


def _answerable(table: Table, prompt: Prompt) -> None:
    """Check that the prompt is a single question that a line can answer, worded as its format requires."""
    if not prompt.text.strip():
        return
    if not prompt.text.rstrip().endswith("?"):
        table.complain("text does not end in a question mark", "text")
    if prompt.text.count("?") > 1:
        table.complain("text has more than one question mark; a prompt asks one thing", "text")
    if prompt.format is Format.FINISH_THE_LINE and "…" not in prompt.text:
        table.complain("text has no … for the end that the answer adds", "text")
    if prompt.format in {Format.PICK_ONE, Format.THIS_OR_THAT} and " or " not in prompt.text:
        table.complain(f'text has no "or", as "{prompt.format}" needs', "text")


@cache
def _any_not_ours() -> re.Pattern[str]:
    """Return one pattern for all unsuitable words, in lowercase: a quick check that most texts pass."""
    return re.compile(rf"\b(?:{'|'.join(_NOT_OURS.values())})\b")


@cache
def _not_ours() -> Mapping[str, re.Pattern[str]]:
    return {reason: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for reason, words in _NOT_OURS.items()}

"""Adds rows of every new kind of Result to the newest file in `rows/`: `make rows`."""

from bot.domain.results import kinds
from tests.domain.test_results import ROWS, kinds_in
from tests.tg.test_screens import examples


def write_rows() -> None:
    """Write the first and the last example of each kind that the file lacks."""
    newest = ROWS[-1]
    known = kinds_in(newest)
    new = [kind for name, kind in sorted(kinds().items()) if name not in known]
    rows = [result.pack() for kind in new for result in dict.fromkeys((examples(kind)[0], examples(kind)[-1]))]
    with newest.open("a") as file:
        file.writelines(f"{row}\n" for row in rows)


if __name__ == "__main__":
    write_rows()

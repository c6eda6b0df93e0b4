"""Tests of wrapping, columns and colours."""

import os
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from data_prep import console as console_lib


def _words(text, style=""):
    return [[console_lib.Span(word, style)] for word in text.split()]


class ConsoleTest(parameterized.TestCase):
    def test_lines_are_filled_up_to_the_width(self):
        console = console_lib.Console(width=12)
        self.assertEqual(
            console.wrap(_words("the time of our way"), indent=2),
            ["  the time", "  of our way"],  # 2 + 10 columns.
        )

    def test_a_longer_word_is_divided(self):
        console = console_lib.Console(width=6)
        self.assertEqual(
            console.wrap(_words("of abcdefghij of"), indent=2),
            ["  of", "  abcd", "  efgh", "  ij", "  of"],
        )

    def test_wide_characters_take_two_columns_and_accents_none(self):
        self.assertEqual(console_lib.columns("語a\u0301"), 3)
        console = console_lib.Console(width=4)
        self.assertEqual(console.wrap(_words("語語語")), ["語語", "語"])
        self.assertEqual(console_lib.pad("語", 4), "語  ")

    def test_colours_do_not_count_as_columns(self):
        console = console_lib.Console(width=5, color=True)
        self.assertEqual(
            console.wrap(_words("ab cd ef", "1;36")),
            ["\x1b[1;36mab\x1b[0m \x1b[1;36mcd\x1b[0m", "\x1b[1;36mef\x1b[0m"],
        )

    def test_text_cannot_command_the_terminal(self):
        console = console_lib.Console()
        self.assertEqual(
            console.paint([console_lib.Span("a\x1b[1m\n")]), "a\ufffd[1m\ufffd"
        )

    def test_values_are_aligned(self):
        console = console_lib.Console(width=32)
        self.assertEqual(
            console.field("source", "a.txt b.txt"),
            ["  source                a.txt", " " * 24 + "b.txt"],
        )

    def test_headings_fill_the_line(self):
        console = console_lib.Console(width=12)
        self.assertEqual(console.heading("Data"), "── Data ────")
        self.assertLen(console.heading("A title that is too long"), 12)

    def test_tables_are_read_down(self):
        cells = ["a1", "b2", "c3"]
        wide, narrow = (console_lib.Console(width=w) for w in (9, 8))
        self.assertEqual(wide.table(cells), ["  a1   c3", "  b2"])
        self.assertEqual(narrow.table(cells), ["  a1", "  b2", "  c3"])
        self.assertEqual(wide.table([]), [])

    @parameterized.parameters(
        (0.0, ""), (0.001, "▏"), (0.5, "██"), (0.625, "██▌"), (1.0, "████")
    )
    def test_bars_have_the_share_of_the_room(self, share, expected):
        self.assertEqual(console_lib.bar(share, 4), expected)

    @parameterized.parameters(
        ("always", False, "1", True),
        ("never", True, "", False),
        ("auto", True, "", True),
        ("auto", True, "1", False),
        ("auto", False, "", False),
    )
    def test_when_there_are_colours(self, choice, is_terminal, no_color, color):
        environment = {"NO_COLOR": no_color, "COLUMNS": "100"}
        with (
            mock.patch.dict(os.environ, environment),
            mock.patch("sys.stdout.isatty", return_value=is_terminal),
        ):
            console = console_lib.create(choice)
        self.assertEqual(console, console_lib.Console(width=100, color=color))


if __name__ == "__main__":
    absltest.main()

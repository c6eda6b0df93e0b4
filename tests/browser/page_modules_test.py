"""What the page's modules compute, in a browser."""

from absl.testing import absltest
import pytest

from tests.browser import page_driver

pytestmark = pytest.mark.browser


class PageModulesTest(page_driver.PageTestCase):
    def setUp(self):
        super().setUp()
        self.open("words", "discriminate")

    def _imported(self, file: str, expression: str):
        return self.page.evaluate(
            f"import('/{file}.js').then(module => module.{expression})"
        )

    def test_bytes_become_places_in_javascript_texts(self):
        # Of 1, 2, 3 and 4 bytes; the last one is two units of JavaScript's.
        places = self._imported(
            "text_places",
            "byteToIndex('aé深👍')).then(toIndex => "
            "[0, 1, 3, 6, 10, 99, 2, 8].map(toIndex)",
        )
        # Those inside of a character become its start.
        self.assertEqual(places, [0, 1, 2, 3, 5, 5, 1, 3])

    def test_a_share_of_the_words_is_chosen_and_at_least_one(self):
        for share, number in ((0.01, 1), (0.5, 2), (1, 4)):
            chosen = self._imported(
                "corruption",
                "chooseWords(module.splitWords('One, two: [MASK] three. Four'),"
                f" {share}, module.randomNumbers(5))",
            )
            self.assertLen(set(chosen), number)
        # Signs are left out, and so are [MASK] and its brackets.
        self.assertEqual(chosen, [0, 2, 7, 9])

    def test_masks_of_the_text_itself_stand_for_no_word(self):
        masked = self._imported(
            "corruption",
            "maskWords('a [MASK] b', module.splitWords('a [MASK] b'), [0, 4])",
        )
        self.assertEqual(
            masked, {"masked": "[MASK] [MASK] [MASK]", "owners": [0, -1, 4]}
        )

    def test_overlapping_tokens_are_cut_where_they_begin_and_end(self):
        parts = self._imported(
            "text_places",
            "cut(2, 8, [{start: 0, end: 4}, {start: 3, end: 6}])",
        )
        self.assertEqual(
            [
                (each["start"], each["end"], len(each["spans"]))
                for each in parts
            ],
            [(2, 3, 1), (3, 4, 2), (4, 6, 1), (6, 8, 0)],
        )

    def test_a_temperature_makes_unlikely_words_likelier(self):
        # The shares are 16/17 and 1/17; their roots are as 4 to 1.
        for number, temperature, sampled in (
            (0.94, 1, 0.64),
            (0.95, 1, 0.04),
            (0.79, 2, 0.64),
            (0.81, 2, 0.04),
        ):
            found = self._imported(
                "corruption",
                "sample([{probability: 0.64}, {probability: 0.04}], "
                f"() => {number}, {temperature})",
            )
            self.assertEqual(found, {"probability": sampled})

    def test_json_with_nan_is_read(self):
        self.assertEqual(
            self._imported(
                "served", r"""parse('[NaN, -Infinity, "a \\"NaN\\"", -1]')"""
            ),
            [None, None, 'a "NaN"', -1],
        )

    def test_a_median_is_in_the_middle(self):
        self.assertEqual(self._imported("latency", "median([4, 1, 2])"), 2)
        self.assertEqual(self._imported("latency", "median([4, 1, 2, 9])"), 3)


if __name__ == "__main__":
    absltest.main()

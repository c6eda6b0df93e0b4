from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import sample_corruptions
from electra_tf import sample_section
from electra_tf import shown_tokens
from tests import page_reading

Token = shown_tokens.Token
_REPLACED = Token("the", is_masked=True, replacement="of", is_noise=True)
_EXAMPLE = (
    Token("[CLS]", is_special=True, probability=0.01),
    _REPLACED._replace(probability=0.9),
    Token("tim", probability=0.6),
    Token("##e", probability=0.2),
    _REPLACED._replace(piece="##s", probability=0.5),
    Token("was", is_masked=True, probability=0.1),
)


def _samples(*examples, shows="verdicts", data_dir="data"):
    return sample_corruptions.Samples(
        data_dir=data_dir,
        is_held_out=True,
        step=1200,
        about="mask_prob 0.15",
        shows=shows,
        examples=examples,
    )


class SampleSectionTest(parameterized.TestCase):
    def test_marks_say_without_colour_what_was_found(self):
        text = sample_section.text(_EXAMPLE, "verdicts")
        self.assertEqual(
            page_reading.read(text).text, "[CLS] the→of✓ tim!e##s→of✗ was"
        )

    def test_every_token_tells_its_probability(self):
        page = page_reading.read(sample_section.text(_EXAMPLE, "verdicts"))
        self.assertEqual(
            page.titles,
            [
                "[CLS]; replaced with probability 1.0 %",
                "the became of; replaced with probability 90.0 %",
                "tim; replaced with probability 60.0 %",
                "##e; replaced with probability 20.0 %",
                "##s became of; replaced with probability 50.0 %",
                "was, masked: the generator kept it; replaced with probability "
                "10.0 %",
            ],
        )

    def test_the_background_follows_the_probability(self):
        text = sample_section.text([Token("a", probability=0.4)], "verdicts")
        # 0.4 of the most, which is 0.75.
        self.assertIn('style="background:rgba(var(--heat),0.30)"', text)
        text = sample_section.text([Token("a")], "replacements")
        self.assertNotIn("style", text)

    def test_all_is_counted(self):
        section = page_reading.read(
            sample_section.section(_samples(_EXAMPLE, _EXAMPLE))
        )
        self.assertIn("2 held-out examples of data", section.text)
        self.assertIn("the weights of step 1,200", section.text)
        self.assertIn(
            "Of 12 tokens 6 were masked, 4 became another word; 2 of 4 were "
            "found, with 2 false alarms.",
            section.text,
        )

    @parameterized.parameters(
        ("guesses", "the→of✗ was✓", "2 were masked, and 1 of these guessed."),
        ("replacements", "the→of was", "2 were masked, 1 became another word."),
    )
    def test_without_verdicts(self, shows, shown, counts):
        tokens = (_REPLACED, Token("was", is_masked=True))
        section = page_reading.read(
            sample_section.section(_samples(tokens, shows=shows))
        )
        self.assertIn(shown, section.text)
        self.assertIn(counts, section.text)
        self.assertNotIn("false alarm", section.text)

    def test_texts_are_escaped(self):
        evil = "<script>alert('\"')</script>"
        token = Token(evil, is_masked=True, replacement=evil, probability=0.5)
        section = sample_section.section(_samples([token], data_dir=evil))
        page = page_reading.read(section)
        self.assertNotIn("script", page.elements)
        self.assertIn(f"{evil}→{evil}", page.text)
        self.assertStartsWith(page.titles[-1], f"{evil} became {evil}")


if __name__ == "__main__":
    absltest.main()

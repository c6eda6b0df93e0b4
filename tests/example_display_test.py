"""Tests of how examples are shown, with and without colours."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from data_prep import console as console_lib
from data_prep import example_display
from electra_tf import corrupter
from electra_tf import shown_tokens
from tests import testing
from tests import tiny_data

Token = shown_tokens.Token
_REPLACED = Token("the", is_masked=True, replacement="of", is_noise=True)


def _shown(tokens, *, color=False, num_padding=0, threshold=0.5):
    words = example_display.words(
        tokens, num_padding=num_padding, threshold=threshold
    )
    (line,) = console_lib.Console(width=200, color=color).wrap(words)
    return line


def _batch(*examples):
    features = [tiny_data.features(example) for example in examples]
    return {n: np.array([f[n] for f in features]) for n in features[0]}


class ExampleDisplayTest(parameterized.TestCase):
    def test_an_example_is_read_from_a_batch(self):
        tokens = shown_tokens.tokens(
            _batch(*tiny_data.EXAMPLES), 1, vocab=testing.tiny_vocab()
        )
        self.assertEqual(
            tokens,
            [
                Token("[CLS]", is_special=True),
                Token("the"),
                Token("of"),
                Token("##s"),
                Token("[SEP]", is_special=True),
                Token("the", segment=1),
                Token("[SEP]", segment=1, is_special=True),
            ],
        )
        self.assertEqual(
            _shown(tokens, num_padding=1),
            "[CLS] the ofs [SEP] the [SEP] [PAD]×1",
        )

    def test_segments_and_special_tokens_differ_in_colour(self):
        tokens = shown_tokens.tokens(
            _batch(tiny_data.EXAMPLES[3]), 0, vocab=testing.tiny_vocab()
        )
        dim, first, second = "\x1b[2m", "\x1b[36m", "\x1b[35m"
        end = "\x1b[0m"
        self.assertEqual(
            _shown(tokens, color=True),
            f"{dim}[CLS]{end} {first}[UNK]{end} {first}the{end} "
            f"{dim}[SEP]{end} {second}to{end}{second}s{end}{second}t{end} "
            f"{dim}[SEP]{end}",
        )

    def test_ids_are_shown_without_a_vocabulary(self):
        batch = _batch(tiny_data.EXAMPLES[0])
        tokens = shown_tokens.tokens(batch, 0, vocab=None)
        the, time = (testing.tiny_vocab().index(p) for p in ("the", "time"))
        self.assertEqual(_shown(tokens), f"2 {the} {time} 3")

    def test_a_piece_after_a_special_token_stands_alone(self):
        tokens = [Token("[CLS]", is_special=True), Token("##s"), Token("##t")]
        self.assertEqual(_shown(tokens), "[CLS] ##st")

    @parameterized.parameters(
        (Token("the", is_masked=True), "[the]"),
        (_REPLACED, "[the→of]"),
        (_REPLACED._replace(probability=0.87), "[the→of]+87%"),
        (_REPLACED._replace(probability=0.12), "[the→of]-12%"),
        (Token("the", probability=0.73), "the!73%"),
        (Token("the", is_masked=True, probability=0.73), "[the]!73%"),
        (Token("the", probability=0.12), "the"),
    )
    def test_marks(self, token, expected):
        self.assertEqual(_shown([token]), expected)

    def test_marks_stand_within_words(self):
        tokens = [Token("of"), Token("##s", is_masked=True)]
        self.assertEqual(_shown(tokens), "of[s]")
        tokens[1] = tokens[1]._replace(replacement="the")
        self.assertEqual(_shown(tokens), "of[##s→the]")

    @parameterized.parameters(
        (Token("a", is_masked=True), "\x1b[36;7m[a]\x1b[0m"),
        # From 0.2 to 1 in five steps; none below.
        (Token("a", probability=0.19), "\x1b[36ma\x1b[0m"),
        (Token("a", probability=0.2), "\x1b[30;48;5;187ma\x1b[0m"),
        (
            Token("a", is_noise=True, probability=1.0),
            "\x1b[30;48;5;167ma\x1b[0m\x1b[1;32m+100%\x1b[0m",
        ),
        (
            Token("a", probability=0.6),
            "\x1b[30;48;5;179ma\x1b[0m\x1b[1;31m!60%\x1b[0m",
        ),
    )
    def test_colours(self, token, expected):
        self.assertEqual(_shown([token], color=True), expected)

    def test_the_threshold_decides(self):
        token = _REPLACED._replace(probability=0.4)
        self.assertEqual(_shown([token], threshold=0.3), "[the→of]+40%")
        self.assertEqual(_shown([token], threshold=0.4), "[the→of]-40%")

    def test_a_corruption_is_shown_and_counted(self):
        vocab = testing.tiny_vocab()
        batch = _batch("[CLS] the time of [SEP]")
        ids = batch["input_ids"].copy()
        ids[0, 2] = vocab.index("to")
        probabilities = np.full(ids.shape, 0.1)
        probabilities[0, 1:4] = 0.9, 0.8, np.nan
        corruption = corrupter.Corruption(
            is_masked=np.array([[0, 0, 1, 1, 0, 0, 0, 0]], bool),
            ids=ids,
            is_noise=ids != batch["input_ids"],
            probabilities=probabilities,
        )
        tokens = shown_tokens.tokens(
            batch, 0, vocab=vocab, corruption=corruption
        )
        self.assertEqual(
            _shown(tokens), "[CLS] the!90% [time→to]+80% [of] [SEP]"
        )
        totals = example_display.Totals()
        totals.add(tokens, 0.5)
        totals.add(tokens, 0.85)  # Now the replaced one is missed.
        self.assertEqual(
            totals,
            example_display.Totals(
                masked=4, replaced=2, noise=2, found=1, false_alarms=2
            ),
        )

    @parameterized.parameters(
        (None, ""),
        ("masks", "[a] masked"),
        ("guesses", "[a] masked, [a→b] the generator's guess is b"),
        ("replacements", "[a] masked, [a→b] replaced by the generator"),
        (
            "verdicts",
            "[a] masked, [a→b]+75% replaced and found, [a→b]-25% replaced "
            "and missed, a!75% a false alarm",
        ),
    )
    def test_the_legend_shows_the_marks_that_there_are(self, shows, expected):
        words = example_display.legend(shows, threshold=0.5, has_color=False)
        console = console_lib.Console(width=200)
        self.assertEqual(console.wrap(words), [expected])
        words = example_display.legend(shows, threshold=0.5, has_color=True)
        self.assertStartsWith(
            console.wrap(words)[0], "first segment, second segment"
        )


if __name__ == "__main__":
    absltest.main()

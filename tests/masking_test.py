import itertools
import json

from absl.testing import parameterized
import numpy as np
from scipy import stats
import tensorflow as tf

from electra_tf import masking
from tests import testing

_BERT_IDS = masking.SpecialIds(cls=101, sep=102, mask=103)
_MASKING_CASES = ("mask_a", "mask_b", "mask_c")


def _golden(case: str) -> dict[str, np.ndarray]:
    arrays = np.load(testing.golden("pretrain_helpers", "helpers.npz"))
    return {
        key.removeprefix(case + "/"): arrays[key]
        for key in arrays
        if key.startswith(case + "/")
    }


def _golden_settings(case: str) -> dict:
    with open(testing.golden("pretrain_helpers", "config.json")) as file:
        return json.load(file)["cases"][case]


def _golden_masked(golden) -> masking.MaskedTokens:
    return masking.MaskedTokens(
        *(tf.constant(golden["masked_lm_" + f]) for f in ("positions", "ids")),
        weights=tf.constant(golden["masked_lm_weights"]),
    )


def _draws(*shape: int) -> tf.Tensor:
    draws = np.random.default_rng(0).random(shape, dtype=np.float32)
    return tf.constant(draws)


def _choose(candidates, counts, *, max_predictions, uniform=None):
    """`choose_tokens` of token ids 10, 11, 12, ..."""
    candidates = tf.constant(np.array(candidates, bool))
    ids = tf.broadcast_to(10 + tf.range(candidates.shape[1]), candidates.shape)
    if uniform is None:
        uniform = _draws(*candidates.shape)
    return masking.choose_tokens(
        uniform,
        input_ids=ids,
        candidates=candidates,
        counts=tf.constant(counts),
        max_predictions=max_predictions,
    )


class GoldenTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_MASKING_CASES)
    def test_the_same_tokens_may_be_masked_as_in_the_original(self, case):
        golden = _golden(case)
        self.assertAllEqual(
            masking.maskable(
                golden["input_ids"], golden["input_mask"], _BERT_IDS
            ),
            golden["candidates_mask"],
        )

    @parameterized.parameters(*_MASKING_CASES)
    def test_as_many_tokens_are_predicted_as_in_the_original(self, case):
        golden, settings = _golden(case), _golden_settings(case)
        counts = masking.num_to_predict(
            tf.constant(golden["input_mask"]),
            mask_prob=settings["mask_prob"],
            max_predictions=settings["max_predictions_per_seq"],
        )
        self.assertAllEqual(counts, golden["masked_lm_weights"].sum(axis=1))

    @parameterized.parameters(*_MASKING_CASES)
    def test_chosen_tokens_are_hidden_as_in_the_original(self, case):
        golden = _golden(case)
        masked = _golden_masked(golden)
        hidden = masking.hide_tokens(
            tf.constant(golden["uniform_draw"]),
            input_ids=tf.constant(golden["input_ids"]),
            masked=masked,
            mask_id=_BERT_IDS.mask,
        )
        self.assertAllEqual(hidden, golden["masked_input_ids"])

    @parameterized.parameters(*_MASKING_CASES)
    def test_writing_the_true_tokens_back_restores_the_input(self, case):
        golden = _golden(case)
        masked = _golden_masked(golden)
        restored = masking.replace_tokens(
            tf.constant(golden["masked_input_ids"]),
            masked=masked,
            updates=masked.ids,
        )
        self.assertAllEqual(restored, golden["input_ids"])
        self.assertAllEqual(restored, golden["unmasked_input_ids"])

    def test_updates_are_scattered_and_averaged_as_in_the_original(self):
        golden = _golden("scatter_int")
        positions = tf.constant(golden["positions"])
        masked = masking.MaskedTokens(
            positions=positions,
            ids=tf.zeros_like(positions),
            # The original ignores updates of position 0.
            weights=tf.cast(positions > 0, tf.float32),
        )
        updated = masking.replace_tokens(
            tf.constant(golden["sequence"]),
            masked=masked,
            updates=tf.constant(golden["updates"]),
        )
        self.assertAllEqual(updated, golden["updated"])

    @parameterized.parameters("scatter_int", "scatter_float")
    def test_positions_are_gathered_as_in_the_original(self, case):
        golden = _golden(case)
        gathered = masking.gather_positions(
            golden["sequence"], golden["positions"]
        )
        self.assertAllEqual(gathered, golden["gathered"])


class NumToPredictTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        # Tokens, share, slots -> 0.15 * 128 = 19.2; 0.15 * 10 = 1.5, a tie;
        # 0.5 * 5 = 2.5, a tie; 0.15 * 3 = 0.45, but at least one.
        (128, 0.15, 19, 19),
        (10, 0.15, 19, 2),
        (5, 0.5, 19, 2),
        (3, 0.15, 19, 1),
        (0, 0.15, 19, 1),
        (128, 0.15, 4, 4),
    )
    def test_it_is_a_rounded_share_of_all_tokens(
        self, num_tokens, mask_prob, max_predictions, expected
    ):
        input_mask = tf.constant([[1] * num_tokens + [0] * (128 - num_tokens)])
        count = masking.num_to_predict(
            input_mask, mask_prob=mask_prob, max_predictions=max_predictions
        )
        self.assertAllEqual(count, [expected])


class ChooseTokensTest(tf.test.TestCase):
    def test_the_candidates_with_the_largest_draws_are_chosen(self):
        masked = _choose(
            [[0, 1, 1, 1, 1]],
            [2],
            max_predictions=3,
            uniform=tf.constant([[0.9, 0.1, 0.7, 0.3, 0.5]]),
        )
        self.assertAllEqual(masked.positions, [[2, 4, 0]])
        self.assertAllEqual(masked.ids, [[12, 14, 0]])
        self.assertAllEqual(masked.weights, [[1.0, 1.0, 0.0]])

    def test_a_draw_of_zero_can_be_chosen(self):
        masked = _choose(
            [[0, 1, 0]], [1], max_predictions=1, uniform=tf.zeros([1, 3])
        )
        self.assertAllEqual(masked.positions, [[1]])
        self.assertAllEqual(masked.weights, [[1.0]])

    def test_with_fewer_candidates_than_slots_all_are_chosen_once(self):
        masked = _choose([[0, 1, 0, 1, 0]], [4], max_predictions=4)
        self.assertCountEqual(masked.positions[0, :2].numpy(), [1, 3])
        self.assertAllEqual(masked.weights, [[1, 1, 0, 0]])

    def test_without_candidates_nothing_is_chosen(self):
        masked = _choose([[0, 0, 0]], [1], max_predictions=2)
        for field in masked:
            self.assertAllEqual(field, [[0, 0]])

    def test_an_example_of_padding_stays_as_it_is(self):
        ids, mask = tf.zeros([2, 6], tf.int32), tf.zeros([2, 6], tf.int32)
        masked = masking.choose_tokens(
            _draws(2, 6),
            input_ids=ids,
            candidates=masking.maskable(ids, mask, _BERT_IDS),
            counts=masking.num_to_predict(
                mask, mask_prob=0.15, max_predictions=3
            ),
            max_predictions=3,
        )
        self.assertAllEqual(masked.weights, np.zeros([2, 3]))
        hidden = masking.hide_tokens(
            tf.zeros([2, 3]), input_ids=ids, masked=masked, mask_id=103
        )
        self.assertAllEqual(hidden, ids)

    def test_every_ordered_choice_is_equally_likely(self):
        candidates = [False, True, True, False, True, True, True]
        num_examples = 12_000
        masked = _choose(
            [candidates] * num_examples, [2] * num_examples, max_predictions=2
        )
        # 5 * 4 = 20 ways; about 600 each.
        ways = list(itertools.permutations(np.flatnonzero(candidates), 2))
        chosen = [tuple(row) for row in masked.positions.numpy()]
        counts = [chosen.count(way) for way in ways]
        self.assertEqual(sum(counts), num_examples)
        self.assertGreater(stats.chisquare(counts).pvalue, 0.01)


class ChooseWithReplacementTest(tf.test.TestCase):
    def _choose(self, uniform, candidates, counts):
        candidates = tf.constant(np.array(candidates, bool))
        return masking.choose_tokens_with_replacement(
            tf.constant(uniform),
            input_ids=10 + tf.range(candidates.shape[1])[tf.newaxis],
            candidates=candidates,
            counts=tf.constant(counts),
            max_predictions=len(uniform[0]),
        )

    def test_a_draw_falls_on_one_of_the_candidates(self):
        # Three candidates, at 1, 2 and 4, each a third of the draws.
        chosen = self._choose(
            [[0.0, 0.32, 0.34, 0.66, 0.67, 0.99]], [[0, 1, 1, 0, 1]], [5]
        )
        self.assertAllEqual(chosen.positions, [[1, 1, 2, 2, 4, 0]])
        self.assertAllEqual(chosen.ids, [[11, 11, 12, 12, 14, 0]])
        self.assertAllEqual(chosen.weights, [[1, 1, 1, 1, 1, 0]])

    def test_without_candidates_nothing_is_chosen(self):
        chosen = self._choose([[0.5, 0.5]], [[0, 0, 0]], [2])
        self.assertAllEqual(chosen.weights, [[0, 0]])
        self.assertAllEqual(chosen.positions, [[0, 0]])


class ChooseWholeWordsTest(tf.test.TestCase):
    # [CLS], a word of two pieces, one of three, one of one, [SEP], padding.
    CANDIDATES = np.array([[0, 1, 1, 1, 1, 1, 1, 0, 0]], bool)
    CONTINUES = np.array([[0, 0, 1, 0, 1, 1, 0, 0, 0]], bool)

    def _positions(self, word_draws, count, *, continues=CONTINUES):
        uniform = np.full([1, 9], 0.99, np.float32)
        uniform[0, [1, 3, 6]] = word_draws
        chosen = masking.choose_whole_words(
            tf.constant(uniform),
            input_ids=tf.constant([range(10, 19)]),
            candidates=tf.constant(self.CANDIDATES),
            counts=tf.constant([count]),
            max_predictions=6,
            continues_word=tf.constant(continues),
        )
        num_used = int(chosen.weights.numpy().sum())
        positions = chosen.positions.numpy()[0].tolist()
        self.assertEqual(positions[num_used:], [0] * (6 - num_used))
        self.assertAllEqual(
            chosen.ids[0, :num_used], chosen.positions[0, :num_used] + 10
        )
        return positions[:num_used]

    def test_words_come_whole_and_those_with_the_largest_draw_first(self):
        self.assertEqual(
            self._positions([0.2, 0.5, 0.9], 6), [6, 3, 4, 5, 1, 2]
        )
        self.assertEqual(self._positions([0.9, 0.5, 0.2], 5), [1, 2, 3, 4, 5])

    def test_a_word_that_would_be_too_much_ends_it(self):
        self.assertEqual(self._positions([0.9, 0.5, 0.2], 4), [1, 2])
        self.assertEqual(self._positions([0.2, 0.5, 0.9], 3), [6])

    def test_the_first_word_alone_may_be_masked_in_part(self):
        self.assertEqual(self._positions([0.2, 0.9, 0.5], 2), [3, 4])

    def test_a_piece_after_a_special_token_begins_a_word(self):
        continues = self.CONTINUES.copy()
        continues[0, 1] = True
        self.assertEqual(
            self._positions([0.9, 0.5, 0.2], 2, continues=continues), [1, 2]
        )

    def test_every_word_is_equally_likely_to_be_the_first(self):
        num = 3000
        uniform = np.random.default_rng(0).random((num, 9), dtype=np.float32)
        chosen = masking.choose_whole_words(
            tf.constant(uniform),
            input_ids=tf.tile([tf.range(9)], [num, 1]),
            candidates=tf.tile(self.CANDIDATES, [num, 1]),
            counts=tf.ones([num], tf.int32),
            max_predictions=2,
            continues_word=tf.tile(self.CONTINUES, [num, 1]),
        )
        firsts = chosen.positions.numpy()[:, 0]
        counts = [np.sum(firsts == start) for start in (1, 3, 6)]
        self.assertEqual(sum(counts), num)
        self.assertGreater(stats.chisquare(counts).pvalue, 0.01)


class HideTokensTest(tf.test.TestCase):
    def test_a_draw_below_085_becomes_mask_and_others_stay(self):
        masked = masking.MaskedTokens(
            positions=tf.constant([[1, 2, 3, 0]]),
            ids=tf.constant([[11, 12, 13, 0]]),
            weights=tf.constant([[1.0, 1.0, 1.0, 0.0]]),
        )
        hidden = masking.hide_tokens(
            tf.constant([[0.0, 0.8499, 0.8501, 0.0]]),
            input_ids=tf.constant([[10, 11, 12, 13, 14]]),
            masked=masked,
            mask_id=103,
        )
        self.assertAllEqual(hidden, [[10, 103, 103, 13, 14]])


class ReplaceTokensTest(tf.test.TestCase):
    def test_two_updates_of_one_position_become_their_average(self):
        masked = masking.MaskedTokens(
            positions=tf.constant([[2, 1, 2]]),
            ids=tf.constant([[7, 6, 7]]),
            weights=tf.ones([1, 3]),
        )
        replaced = masking.replace_tokens(
            tf.constant([[5, 6, 7, 8]]),
            masked=masked,
            updates=tf.constant([[110, 50, 125]]),
        )
        # (110 + 125) / 2 = 117.5.
        self.assertAllEqual(replaced, [[5, 50, 117, 8]])

    def test_examples_do_not_mix(self):
        masked = masking.MaskedTokens(
            positions=tf.constant([[1], [2]]),
            ids=tf.constant([[0], [0]]),
            weights=tf.ones([2, 1]),
        )
        replaced = masking.replace_tokens(
            tf.zeros([2, 3], tf.int32),
            masked=masked,
            updates=tf.constant([[4], [5]]),
        )
        self.assertAllEqual(replaced, [[0, 4, 0], [0, 0, 5]])


class SampleTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(0.5, 1.0, 2.0)
    def test_tokens_come_as_often_as_their_probability_says(self, temperature):
        probs = np.array([0.05, 0.4, 0.25, 0.1, 0.2])
        num_samples = 50_000
        logits = tf.constant(np.log(probs), tf.float32)
        samples = masking.sample(
            _draws(num_samples, 1),
            logits=tf.broadcast_to(logits, [num_samples, 1, 5]),
            temperature=temperature,
        )
        counts = np.bincount(samples.numpy().ravel(), minlength=5)
        expected = probs ** (1 / temperature)
        expected *= num_samples / expected.sum()
        self.assertGreater(stats.chisquare(counts, expected).pvalue, 0.01)

    def test_a_draw_falls_into_the_share_of_one_token(self):
        # Shares end at 1/4, 1/2 and 1.
        logits = tf.constant([[[1.0, 1.0, 2.0]] * 5])
        samples = masking.sample(
            tf.constant([[0.0, 0.24, 0.26, 0.51, 0.99]]),
            logits=tf.math.log(logits),
        )
        self.assertAllEqual(samples, [[0, 0, 1, 2, 2]])

    def test_a_disallowed_token_is_never_drawn(self):
        # 3/4, 1/8 and 1/8; without the first 1/2 and 1/2.
        logits = tf.math.log(tf.constant([[[6.0, 1.0, 1.0]] * 4]))
        ids = masking.sample(
            tf.constant([[0.0, 0.49, 0.51, 0.99]]),
            logits=logits,
            disallowed_ids=tf.zeros([1, 4], tf.int32),
        )
        self.assertAllEqual(ids, [[1, 1, 2, 2]])

    def test_an_impossible_token_is_never_drawn(self):
        logits = tf.constant([[[-1e9, 0.0, -1e9]] * 3])
        samples = masking.sample(
            tf.constant([[0.0, 0.5, 1.0 - 2.0**-23]]), logits=logits
        )
        self.assertAllEqual(samples, [[1, 1, 1]])

    def test_the_largest_draw_is_still_a_token(self):
        # tf.random's draws are multiples of 2 ** -23.
        logits = tf.random.stateless_normal([1, 100, 30522], [0, 0])
        samples = masking.sample(
            tf.fill([1, 100], 1.0 - 2.0**-23), logits=logits
        )
        self.assertAllLess(samples, 30522)


class CompiledTest(tf.test.TestCase):
    def test_xla_masks_as_eager_execution_does(self):
        golden = _golden("mask_a")
        ids, mask = golden["input_ids"], golden["input_mask"]

        def mask_and_hide(uniform):
            masked = masking.choose_tokens(
                uniform,
                input_ids=ids,
                candidates=masking.maskable(ids, mask, _BERT_IDS),
                counts=masking.num_to_predict(
                    mask, mask_prob=0.15, max_predictions=5
                ),
                max_predictions=5,
            )
            hidden = masking.hide_tokens(
                uniform[:, :5], input_ids=ids, masked=masked, mask_id=103
            )
            return [*masked, hidden]

        uniform = _draws(*ids.shape)
        eager = mask_and_hide(uniform)
        compiled = tf.function(mask_and_hide, jit_compile=True)(uniform)
        for compiled_result, eager_result in zip(compiled, eager, strict=True):
            self.assertAllEqual(compiled_result, eager_result)


if __name__ == "__main__":
    tf.test.main()

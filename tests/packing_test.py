"""Tests of texts as model inputs."""

import tensorflow as tf

from electra_tf import packing


def truncate_pair(first, second, room):
    """The loop of the original's `_truncate_seq_pair`."""
    while first + second > room:
        if first > second:
            first -= 1
        else:
            second -= 1
    return first, second


def _pack(first, second=None, *, max_seq_length, pad=True):
    ids, segment_ids = packing.join(
        first, second, cls_id=2, sep_id=3, max_seq_length=max_seq_length
    )
    length = max_seq_length if pad else None
    return packing.pad(ids, segment_ids, pad_id=0, length=length)


class PackTest(tf.test.TestCase):
    def test_two_segments(self):
        packed = _pack(
            tf.ragged.constant([[5, 6], []], tf.int32),
            tf.ragged.constant([[7], [8]], tf.int32),
            max_seq_length=8,
        )
        self.assertAllEqual(
            packed["input_ids"],
            [[2, 5, 6, 3, 7, 3, 0, 0], [2, 3, 8, 3, 0, 0, 0, 0]],
        )
        self.assertAllEqual(
            packed["input_mask"], [[1] * 6 + [0] * 2, [1] * 4 + [0] * 4]
        )
        self.assertAllEqual(
            packed["segment_ids"],
            [[0, 0, 0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0]],
        )

    def test_one_segment_is_cut_at_its_end(self):
        packed = _pack(
            tf.ragged.constant([[5, 6, 7], [8]], tf.int32), max_seq_length=4
        )
        self.assertAllEqual(packed["input_ids"], [[2, 5, 6, 3], [2, 8, 3, 0]])
        self.assertAllEqual(packed["segment_ids"], [[0] * 4, [0] * 4])

    def test_an_empty_second_text_has_no_separator_and_takes_no_room(self):
        packed = _pack(
            tf.ragged.constant([[5, 6, 7, 8], [5, 6, 7, 8]], tf.int32),
            tf.ragged.constant([[], [9]], tf.int32, ragged_rank=1),
            max_seq_length=6,
        )
        self.assertAllEqual(
            packed["input_ids"], [[2, 5, 6, 7, 8, 3], [2, 5, 6, 3, 9, 3]]
        )
        self.assertAllEqual(
            packed["segment_ids"], [[0] * 6, [0, 0, 0, 0, 1, 1]]
        )

    def test_without_padding_the_longest_example_gives_the_length(self):
        packed = _pack(
            tf.ragged.constant([[5], [6, 7]], tf.int32),
            max_seq_length=128,
            pad=False,
        )
        self.assertAllEqual(packed["input_ids"], [[2, 5, 3, 0], [2, 6, 7, 3]])

    def test_truncates_pairs_as_the_original_does(self):
        lengths = [(a, b) for a in range(12) for b in range(1, 12)]
        for room in (2, 5, 8, 11):
            segments = (
                tf.RaggedTensor.from_row_lengths(
                    tf.fill([sum(sizes)], 5), sizes
                )
                for sizes in zip(*lengths)
            )
            packed = _pack(*segments, max_seq_length=room + 3)
            second = tf.reduce_sum(packed["segment_ids"], axis=1) - 1
            first = tf.reduce_sum(packed["input_mask"], axis=1) - second - 3
            self.assertEqual(
                list(zip(first.numpy(), second.numpy())),
                [truncate_pair(a, b, room) for a, b in lengths],
            )

    def test_too_little_room_is_refused(self):
        ids = tf.ragged.constant([[5]], tf.int32)
        with self.assertRaisesRegex(ValueError, "at least 5.*got 4"):
            _pack(ids, ids, max_seq_length=4)


if __name__ == "__main__":
    tf.test.main()

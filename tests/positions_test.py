"""Tests of longer position tables."""

from absl.testing import absltest
import numpy as np

from electra_tf import positions

_NAME = "electra/embeddings/position_embeddings"


class PositionsTest(absltest.TestCase):
    def test_rows_are_repeated_but_for_the_first(self):
        table = np.array([[0.0], [1.0], [2.0]])
        other = np.ones([3, 1])
        values = positions.extend_positions({_NAME: table, "a": other}, 8)
        self.assertEqual(values[_NAME][:, 0].tolist(), [0, 1, 2, 1, 2, 1, 2, 1])
        self.assertIs(values["a"], other)
        self.assertLen(table, 3)

    def test_every_network_and_difference_gets_the_length(self):
        names = (_NAME + "_delta", "generator/embeddings/position_embeddings")
        values = {name: np.ones([4, 2], np.float32) for name in names}
        for value in positions.extend_positions(values, 9).values():
            self.assertEqual(value.shape, (9, 2))
            self.assertEqual(value.dtype, np.float32)

    def test_a_table_of_that_length_stays_as_it_is(self):
        table = np.ones([4, 2])
        values = positions.extend_positions({_NAME: table}, 4)
        self.assertIs(values[_NAME], table)

    def test_tables_are_never_shortened(self):
        with self.assertRaisesRegex(ValueError, "of 4 positions.*at least 4"):
            positions.extend_positions({_NAME: np.ones([4, 2])}, 3)

    def test_one_row_cannot_be_repeated(self):
        with self.assertRaisesRegex(ValueError, "of 1 positions"):
            positions.extend_positions({_NAME: np.ones([1, 2])}, 3)


if __name__ == "__main__":
    absltest.main()

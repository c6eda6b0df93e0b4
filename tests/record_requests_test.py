"""Tests of sending many records."""

import itertools

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf.serving import answer_rows
from electra_tf.serving import record_requests
from electra_tf.serving import request_errors
from electra_tf.serving import serving_client
from tests import stub_model

_TEXTS = ["x" * (number % 7) for number in range(50)]


class PredictRecordsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.enter_context(stub_model.RestServer())
        self.client = self.enter_context(
            serving_client.Client(
                self.server.address, model=stub_model.NAME, protocol="rest"
            )
        )

    def predict(self, records, **options):
        rows = record_requests.predict_records(self.client, records, **options)
        return [answer_rows.to_json(row) for row in rows]

    @parameterized.product(batch_size=(1, 7, 64), concurrency=(1, 4))
    def test_answers_are_in_the_order_of_the_records(
        self, batch_size, concurrency
    ):
        rows = self.predict(
            [{"text": text} for text in _TEXTS],
            batch_size=batch_size,
            concurrency=concurrency,
        )
        self.assertEqual(rows, [*map(stub_model.expected_row, _TEXTS)])
        # 50 records in batches of 7 are 8 requests.
        self.assertEqual(
            self.server.faults.num_requests, -(-len(_TEXTS) // batch_size)
        )

    def test_so_many_requests_are_under_way_at_once(self):
        self.server.faults.delay_s = 0.1
        self.predict(
            [{"text": text} for text in _TEXTS[:8]], batch_size=1, concurrency=4
        )
        self.assertEqual(self.server.faults.most_running, 4)

    def test_endless_records_are_read_as_they_are_needed(self):
        rows = record_requests.predict_records(
            self.client,
            ({"text": "x" * (n % 9)} for n in itertools.count()),
            batch_size=2,
            concurrency=2,
        )
        first = [row["codes"].shape for row in itertools.islice(rows, 5)]
        rows.close()
        self.assertEqual(first, [(0,), (1,), (2,), (3,), (4,)])

    def test_no_records_have_no_answers(self):
        self.assertEqual(self.predict([]), [])

    def test_ids_of_different_lengths_are_padded_with_zeros(self):
        rows = self.predict(
            [{"input_ids": [1, 2, 3]}, {"input_ids": [4]}, {"input_ids": []}],
            signature="sums",
        )
        self.assertEqual([row["sum"] for row in rows], [6, 4, 0])
        self.assertEqual(rows[1]["squares"], [16, 0, 0])

    def test_a_wrong_record_is_told_with_its_number(self):
        with self.assertRaisesRegex(ValueError, "Record 4: .* lacks text"):
            self.predict([{"text": "a"}] * 3 + [{}], batch_size=2)

    def test_a_refused_record_is_an_error(self):
        with self.assertRaisesRegex(
            request_errors.InvalidArgument, "The text is refused"
        ):
            self.predict([{"text": "a"}] * 9 + [{"text": "refuse"}])

    def test_sizes_must_be_positive(self):
        with self.assertRaisesRegex(ValueError, "batch_size must be .*got 0"):
            self.predict([], batch_size=0)


if __name__ == "__main__":
    absltest.main()

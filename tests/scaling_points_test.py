"""Tests of what the sections of the scaling benchmark measure."""

from absl.testing import absltest
from absl.testing import parameterized

from benchmarks import scaling_points
from benchmarks import trainer_settings

_BASE = trainer_settings.TrainerSettings(
    preset="tiny",
    changes={"disc_weight": 5.0},
    batch_size=8,
    max_seq_length=64,
    num_threads=4,
)


class ScalingPointsTest(parameterized.TestCase):
    def test_lengths_have_equally_many_tokens(self):
        points = scaling_points.points("lengths", _BASE, [32, 256])
        self.assertEqual(
            [
                (p.settings.max_seq_length, p.settings.batch_size)
                for p in points
            ],
            [(32, 16), (256, 2)],
        )
        # The preset has 128 positions; both models have those of the longest.
        for point in points:
            run_config = point.settings.run_config
            self.assertEqual(run_config.max_position_embeddings, 256)
            self.assertEqual(run_config.disc_weight, 5.0)

    def test_lengths_that_divide_no_batch_are_refused(self):
        with self.assertRaisesRegex(
            ValueError, "512 tokens .8 examples of 64. .* by length 48"
        ):
            scaling_points.points("lengths", _BASE, [48])

    @parameterized.parameters(
        ("batches", "train_batch_size"),
        ("depths", "num_hidden_layers"),
        ("vocabularies", "vocab_size"),
    )
    def test_one_field_differs(self, section, field):
        for point in scaling_points.points(section, _BASE, [6, 3000]):
            self.assertEqual(point.section, section)
            changed = point.settings.run_config
            self.assertEqual(getattr(changed, field), point.value)
            self.assertEqual(changed.disc_weight, 5.0)
            self.assertEqual((point.num_devices, point.num_workers), (1, 1))

    def test_devices_share_the_cores_and_workers_have_their_part(self):
        devices = scaling_points.points("devices", _BASE, [1, 4])
        self.assertEqual([p.num_devices for p in devices], [1, 4])
        self.assertEqual([p.settings.threads for p in devices], [4, 4])
        workers = scaling_points.points("workers", _BASE, [1, 2])
        self.assertEqual([p.num_workers for p in workers], [1, 2])
        # The only worker has two, too, or nothing could be gained.
        self.assertEqual([p.settings.threads for p in workers], [2, 2])

    def test_rows_are_compared_with_the_first(self):
        points = scaling_points.points("depths", _BASE, [2, 6])
        figures = {"tokens_per_s": 640.0, "gflops_per_s": 1.0}
        figures |= {"peak_memory_gb": 1.0, "first_step_s": 3.0}
        rows = scaling_points.rows(
            [
                (
                    points[0],
                    figures | {"examples_per_s": 10.0, "gflop_per_example": 1},
                ),
                (
                    points[1],
                    figures | {"examples_per_s": 4.0, "gflop_per_example": 3},
                ),
            ]
        )
        self.assertEqual([r["value"] for r in rows], [2, 6])
        self.assertEqual([r["ms_per_example"] for r in rows], [100.0, 250.0])
        self.assertEqual([r["times_cost"] for r in rows], [1.0, 2.5])
        self.assertEqual([r["times_flops"] for r in rows], [1.0, 3.0])
        table = scaling_points.table("depths", rows).splitlines()
        self.assertLen(table, 4)
        self.assertEqual(
            table[3],
            "| 6 | 8 | 4.00 | 640 | 1.0 | 250.00 | 2.50 | 3.00 | 1.00 | 3.0 |",
        )


if __name__ == "__main__":
    absltest.main()

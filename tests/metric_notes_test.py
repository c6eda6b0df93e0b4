from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import metric_notes
from electra_tf import pretraining_metrics
from tests import testing


class MetricNotesTest(parameterized.TestCase):
    @parameterized.parameters(
        dict(),
        dict(objective="mlm"),
        dict(objective="replace_mlm"),
        dict(objective="all_tokens_mlm"),
        dict(objective="electric", generator="two_tower"),
        dict(generator_training="adversarial"),
    )
    def test_every_metric_of_training_is_explained(self, **fields):
        run_config = testing.tiny_config(**fields)
        metrics = pretraining_metrics.PretrainingMetrics(run_config).metrics
        self.assertContainsSubset(metrics, metric_notes.NOTES)

    def test_metrics_are_grouped_and_unknown_ones_come_last(self):
        groups = metric_notes.grouped(
            ["mcc", "disc_recall", "learning_rate", "accuracy", "disc_loss"]
            + ["loss", "disc_auc"]
        )
        self.assertEqual(
            list(groups.items()),
            [
                ("Losses", ["loss", "disc_loss"]),
                ("Discriminator", ["disc_auc", "disc_recall"]),
                ("Optimization", ["learning_rate"]),
                ("Other", ["accuracy", "mcc"]),
            ],
        )


if __name__ == "__main__":
    absltest.main()

import os

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import metadata
import tensorflow as tf

from electra_tf import trial_hparams


class TrialHparamsTest(tf.test.TestCase):
    def test_tensorboard_finds_settings_and_results(self):
        directory = self.create_tempdir().full_path
        trial_hparams.write(
            directory,
            settings={
                "learning_rate": 0.5,
                "seed": 3,
                "freeze": "",
                "no": None,
            },
            metrics={"dev": {"accuracy": 91.0, "loss": 0.25}},
            step=80,
        )
        events = event_accumulator.EventAccumulator(
            os.path.join(directory, "tensorboard", "hparams")
        ).Reload()
        content = events.SummaryMetadata(
            metadata.SESSION_START_INFO_TAG
        ).plugin_data.content
        info = metadata.parse_session_start_info_plugin_data(content)
        self.assertEqual(info.hparams["learning_rate"].number_value, 0.5)
        self.assertEqual(info.hparams["seed"].number_value, 3)
        self.assertEqual(info.hparams["freeze"].string_value, "")
        self.assertNotIn("no", info.hparams)
        for name, value in (("dev/accuracy", 91.0), ("dev/loss", 0.25)):
            (event,) = events.Tensors(name)
            self.assertEqual(event.step, 80)
            self.assertEqual(tf.make_ndarray(event.tensor_proto), value)


if __name__ == "__main__":
    tf.test.main()

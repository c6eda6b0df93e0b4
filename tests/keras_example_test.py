"""The example of docs/keras.md works as it stands there."""

import csv
import math
import os
import pathlib
import re

import numpy as np
import tensorflow as tf

from tests import testing

_ROOT = pathlib.Path(__file__).parent.parent


class KerasExampleTest(tf.test.TestCase):
    def test_it_learns_a_text(self):
        page = (_ROOT / "docs" / "keras.md").read_text(encoding="utf-8")
        (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        folder = self.create_tempdir().full_path
        testing.write_vocab(folder)
        with open(os.path.join(folder, "text.txt"), "w") as file:
            file.write("the cat sat on the mat and it was new .\n" * 50)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(folder)
        names = {}
        exec(compile(code, "docs/keras.md", "exec"), names)
        history = names["history"].history
        vocab_size = len(testing.tiny_vocab())
        # Means over 40 steps each; a guess costs ln 189 = 5.24.
        self.assertBetween(
            history["masked_lm_loss"][0], 1.0, math.log(vocab_size) + 0.1
        )
        self.assertLess(history["masked_lm_loss"][-1], 2.5)
        self.assertTrue(np.isfinite(history["loss"]).all())
        with open("metrics.csv") as file:
            rows = list(csv.DictReader(file))
        self.assertLen(rows, 3)
        self.assertAllClose(
            [float(row["loss"]) for row in rows], history["loss"], rtol=1e-4
        )


if __name__ == "__main__":
    tf.test.main()

"""Tests of what is done with the examples of any format."""

import os

from absl.testing import absltest

from finetune import readers
from finetune import registry
from finetune import task as task_lib

_MRPC = (
    "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t5\t6\ta\tb\n0\t7\t8\tc\td"
)


class ReadersTest(absltest.TestCase):
    def test_symmetric_training_pairs_are_used_both_ways(self):
        folder = self.create_tempdir().full_path
        os.mkdir(os.path.join(folder, "MRPC"))
        for split in ("train", "dev"):
            path = os.path.join(folder, "MRPC", f"{split}.tsv")
            with open(path, "w") as file:
                file.write(_MRPC)
        once = [
            task_lib.Example(0, "a", "b", 1),
            task_lib.Example(1, "c", "d", 0),
        ]
        swapped = [
            task_lib.Example(2, "b", "a", 1),
            task_lib.Example(3, "d", "c", 0),
        ]
        task = registry.get("mrpc")
        self.assertEqual(
            readers.read(task, split="train", data_dir=folder), once + swapped
        )
        self.assertEqual(readers.read(task, split="dev", data_dir=folder), once)


if __name__ == "__main__":
    absltest.main()

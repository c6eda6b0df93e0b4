"""The documents say what the code does."""

import pathlib
import re

from absl.testing import absltest

_ROOT = pathlib.Path(__file__).parent.parent
_PACKAGES = ("electra_tf", "data_prep", "finetune")


class ParityTest(absltest.TestCase):
    def test_every_difference_from_the_original_is_in_the_table(self):
        table = (_ROOT / "docs" / "parity.md").read_text(encoding="utf-8")
        counts = {}
        for package in _PACKAGES:
            for path in (_ROOT / package).rglob("*.py"):
                text = path.read_text(encoding="utf-8")
                if count := text.count("Unlike the original"):
                    counts[str(path.relative_to(_ROOT))] = count
        documented = re.findall(r"`([\w/]+\.py)` \|$", table, re.MULTILINE)
        self.assertSameElements(counts, documented)
        for path, count in counts.items():
            # A row may be about a part of what a comment says.
            self.assertGreaterEqual(documented.count(path), count, path)


if __name__ == "__main__":
    absltest.main()

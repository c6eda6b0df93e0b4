"""Tests of drawing text from all over a corpus."""

import os

from absl.testing import absltest

from data_prep import corpora
from data_prep import corpus_sampling


class CorpusSamplingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path
        # 200 files of 10,000 bytes, each of ten documents of one line.
        self.lines = []
        for number in range(200):
            lines = [f"{number:03d}.{i}".ljust(998, "x") for i in range(10)]
            path = os.path.join(self.folder, f"{number:03d}.txt")
            with open(path, "w") as file:
                file.write("".join(f"{line}\n\n" for line in lines))
            self.lines += lines

    def sample(self, max_bytes, seed=0):
        return list(
            corpus_sampling.sample_lines(
                [self.folder],
                options=corpora.CorpusOptions(),
                max_bytes=max_bytes,
                seed=seed,
            )
        )

    def test_a_small_corpus_is_read_as_it_is(self):
        self.assertEqual(self.sample(2_000_000), self.lines)

    def test_parts_of_a_large_one_are_drawn_up_to_the_budget(self):
        sample = self.sample(500_000)
        self.assertLen(sample, 500)
        self.assertLen(set(sample), 500)
        self.assertContainsSubset(sample, self.lines)
        files = {line[:3] for line in sample}
        self.assertLen(files, 50)
        self.assertNotEqual(files, {f"{i:03d}" for i in range(50)})

    def test_the_sample_is_a_function_of_the_seed(self):
        first, again, other = (self.sample(100_000, s) for s in (1, 1, 2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_a_corpus_without_text_is_refused(self):
        path = self.create_tempfile(content="\n \n").full_path
        with self.assertRaisesRegex(ValueError, "no text: 1 file.*2 blank"):
            list(
                corpus_sampling.sample_lines(
                    [path],
                    options=corpora.CorpusOptions(),
                    max_bytes=10,
                    seed=0,
                )
            )


if __name__ == "__main__":
    absltest.main()

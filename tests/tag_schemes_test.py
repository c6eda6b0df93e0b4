"""Tests of tag schemes, by hand and on spans of the original."""

import json

from absl.testing import absltest
from absl.testing import parameterized
from seqeval.metrics import sequence_labeling

from finetune import tag_schemes
from tests import testing

# A person of three words, a place, another place at once, and a group.
_BIOES = "B-PER I-PER E-PER O S-LOC S-LOC S-ORG".split()
_SENTENCES = {
    "BIOES": _BIOES,
    "IOB2": "B-PER I-PER I-PER O B-LOC B-LOC B-ORG".split(),
    "IOB1": "I-PER I-PER I-PER O I-LOC B-LOC I-ORG".split(),
}
_BILOU = "B-PER I-PER L-PER O U-LOC U-LOC U-ORG".split()


class TagSchemesTest(parameterized.TestCase):
    @parameterized.parameters(*_SENTENCES)
    def test_a_scheme_is_recognised_and_converted(self, scheme):
        tags = _SENTENCES[scheme]
        self.assertEqual(tag_schemes.detect([["O"], tags]), scheme)
        self.assertIsNone(tag_schemes.first_misfit(tags, scheme))
        self.assertEqual(tag_schemes.to_bioes(tags), tuple(_BIOES))

    def test_every_scheme_has_a_sentence_here(self):
        self.assertEqual(set(_SENTENCES), set(tag_schemes.SCHEMES))

    def test_bilou_is_bioes_with_other_letters(self):
        self.assertEqual(tag_schemes.detect([_BILOU]), "BIOES")
        self.assertEqual(tag_schemes.to_bioes(_BILOU), tuple(_BIOES))

    def test_io_has_no_neighbours_of_one_type(self):
        tags = "I-PER I-PER I-LOC O I-LOC".split()
        self.assertEqual(tag_schemes.detect([tags]), "IOB1")
        self.assertEqual(
            tag_schemes.to_bioes(tags),
            tuple("B-PER E-PER S-LOC O S-LOC".split()),
        )

    @parameterized.parameters(
        ("O I-PER", "IOB2", 1),
        ("I-PER I-PER", "IOB2", 0),
        ("B-PER I-LOC", "IOB2", 1),
        ("B-PER E-PER", "IOB2", 1),
        ("O B-PER", "IOB1", 1),
        ("I-PER B-LOC", "IOB1", 1),
        ("B-PER O", "BIOES", 1),
        ("B-PER E-LOC", "BIOES", 1),
        ("S-PER I-PER", "BIOES", 1),
        ("B-PER E-PER E-PER", "BIOES", 2),
        # The sentence must not end there.
        ("O B-PER", "BIOES", 2),
        ("B-PER I-PER", "BIOES", 2),
    )
    def test_the_first_misfit_is_found(self, tags, scheme, expected):
        self.assertEqual(
            tag_schemes.first_misfit(tags.split(), scheme), expected
        )

    def test_the_scheme_is_that_of_most_tags(self):
        good, bad = ["B-PER", "I-PER"], ["I-PER", "I-PER"]
        self.assertEqual(tag_schemes.detect([good, bad, good]), "IOB2")
        self.assertEqual(tag_schemes.detect([bad, good, bad]), "IOB1")

    def test_a_type_may_hold_hyphens(self):
        tags = ["B-creative-work", "I-creative-work"]
        self.assertEqual(
            tag_schemes.to_bioes(tags), ("B-creative-work", "E-creative-work")
        )

    @parameterized.parameters("", "NP", "B-", "X-NP", "BI-NP", "o", "-NP")
    def test_what_is_no_tag_is_an_error(self, text):
        with self.assertRaisesRegex(ValueError, "is no tag; tags are 'O'"):
            tag_schemes.check_tag(text)

    def test_spans_are_the_original_s(self):
        with open(testing.golden("metrics", "span_labels.json")) as file:
            cases = json.load(file)
        self.assertLen(cases, 36)
        for case in cases:
            tags = case["tags"]
            spans = tag_schemes.spans(tags)
            with self.subTest(tags):
                self.assertEqual([list(span) for span in spans], case["spans"])
                self.assertEqual(
                    list(tag_schemes.from_spans(spans, len(tags))),
                    case["tags_BIOES"],
                )

    def test_an_entity_that_changes_its_type_has_the_last_one(self):
        self.assertEqual(
            tag_schemes.spans(["O", "B-NP", "I-NP", "E-VP", "I-VP", "S-NP"]),
            [(1, 4, "VP"), (5, 5, "NP")],
        )

    def test_seqeval_reads_the_same_in_tags_that_keep_to_the_scheme(self):
        expected = [("PER", 0, 2), ("LOC", 4, 4), ("LOC", 5, 5), ("ORG", 6, 6)]
        self.assertEqual(sequence_labeling.get_entities(_BIOES), expected)
        self.assertEqual(
            [(s.type, s.start, s.end) for s in tag_schemes.spans(_BIOES)],
            expected,
        )

    def test_seqeval_reads_otherwise_in_tags_that_break_the_scheme(self):
        tags = ["B-NP", "E-NP", "I-NP", "I-VP"]
        self.assertEqual(
            sequence_labeling.get_entities(tags),
            [("NP", 0, 1), ("NP", 2, 2), ("VP", 3, 3)],
        )
        self.assertEqual(tag_schemes.spans(tags), [(0, 3, "VP")])


if __name__ == "__main__":
    absltest.main()

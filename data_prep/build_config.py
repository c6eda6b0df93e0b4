"""What decides the records that are made of a corpus."""

import dataclasses

from data_prep import documents
from data_prep import segments
from electra_tf import config_checks

# Names of files have five digits.
_MAX_SHARDS = 99_999


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildConfig(documents.CorpusOptions, segments.SegmentOptions):
    """What decides the records that are made of a corpus.

    Attributes:
        lower_case: Whether the text is lower-cased; the vocabulary has to
            match.
        strip_accents: Whether accents are removed, if it is lower-cased.
        eval_fraction: Share of the documents, chosen by their text, that go
            to the folder `eval` in the output, a data folder of its own.
        num_shards: Number of record files; if not given, one for each 8 MB of
            text, up to 1,000.
        seed: Decides all random choices.
    """

    lower_case: bool = True
    strip_accents: bool = True
    eval_fraction: float = 0.0
    num_shards: int | None = None
    seed: int = 0

    def __post_init__(self):
        documents.CorpusOptions.__post_init__(self)
        segments.SegmentOptions.__post_init__(self)
        config_checks.check_range(
            self, at_least_0="seed", share="eval_fraction"
        )
        if self.num_shards is not None:
            config_checks.check_range(self, at_least_1="num_shards")
            if self.num_shards > _MAX_SHARDS:
                raise ValueError(
                    f"num_shards must be at most {_MAX_SHARDS}, got "
                    f"{self.num_shards}."
                )

"""Some examples of a data set as a text for people."""

from collections.abc import Iterator
import dataclasses

import numpy as np

from data_prep import console as console_lib
from data_prep import data_folder
from data_prep import example_display
from electra_tf import corrupter as corrupter_lib
from electra_tf import shown_tokens

# Corrupted at once, so that the logits of many examples need no more memory.
_BATCH_SIZE = 8


@dataclasses.dataclass(frozen=True)
class ExampleReport:
    """A legend, then a section for each example, then totals.

    Attributes:
        folder: Of the data.
        console: To write for.
        corrupter: Masks the examples, and perhaps runs a model on them; None
            shows them as they are.
        threshold: A higher probability says that a token was replaced.
    """

    folder: data_folder.DataFolder
    console: console_lib.Console
    _: dataclasses.KW_ONLY
    corrupter: corrupter_lib.Corrupter | None = None
    threshold: float = 0.5

    def sections(self, numbers: np.ndarray) -> Iterator[str]:
        """The parts of the text.

        Args:
            numbers: of the examples, int64 `[examples]`, in ascending order.
        """
        if not len(numbers):
            return
        if self.corrupter is not None or self.console.color:
            yield self._introduction()
        totals, count = example_display.Totals(), 0
        for step, batch in enumerate(self._batches(numbers)):
            corruption = self.corrupter and self.corrupter(batch.features, step)
            for row, record in enumerate(batch.numbers):
                count += 1
                title = (
                    f"Example {count} of {len(numbers)}: record {record:,} of "
                    f"{batch.file}"
                )
                tokens = shown_tokens.tokens(
                    batch.features,
                    row,
                    vocab=self.folder.vocab,
                    corruption=corruption,
                )
                totals.add(tokens, self.threshold)
                yield self._section(title, tokens)
        if self.corrupter is not None and count > 1:
            title = self.console.heading(f"All {count} examples together")
            yield "\n".join([title, *self._totals(totals), ""])

    def _batches(self, numbers: np.ndarray) -> Iterator[data_folder.Batch]:
        """The examples, `_BATCH_SIZE` or fewer at once."""
        for batch in data_folder.read(self.folder, numbers):
            for start in range(0, len(batch.numbers), _BATCH_SIZE):
                part = slice(start, start + _BATCH_SIZE)
                features = {n: v[part] for n, v in batch.features.items()}
                yield batch._replace(
                    numbers=batch.numbers[part], features=features
                )

    def _introduction(self) -> str:
        lines = [self.console.heading("Examples")]
        if self.corrupter is not None:
            lines += self.console.field("masks", self.corrupter.about)
        words = example_display.legend(
            self.corrupter and self.corrupter.shows,
            threshold=self.threshold,
            has_color=self.console.color,
        )
        return "\n".join([*lines, *self.console.wrap(words, indent=2), ""])

    def _section(self, title: str, tokens: list[shown_tokens.Token]) -> str:
        words = example_display.words(
            tokens,
            num_padding=self.folder.info.max_seq_length - len(tokens),
            threshold=self.threshold,
        )
        lines = [
            self.console.heading(title),
            *self.console.wrap(words, indent=2),
        ]
        if self.corrupter is not None:
            totals = example_display.Totals()
            totals.add(tokens, self.threshold)
            lines += ["", *self._totals(totals)]
        return "\n".join([*lines, ""])

    def _totals(self, totals: example_display.Totals) -> list[str]:
        parts = [f"masked {totals.masked:,}"]
        if self.corrupter.shows == "guesses":
            parts.append(f"guessed right {totals.masked - totals.replaced:,}")
        if self.corrupter.shows in ("replacements", "verdicts"):
            parts.append(f"replaced {totals.replaced:,}")
        if self.corrupter.shows == "verdicts":
            parts.append(f"found {totals.found:,} of {totals.noise:,}")
            parts.append(f"false alarms {totals.false_alarms:,}")
        words = [[console_lib.Span(word)] for word in ", ".join(parts).split()]
        return self.console.wrap(words, indent=2)

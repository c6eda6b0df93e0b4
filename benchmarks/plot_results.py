r"""Draws what benchmarks have measured.

    python -m benchmarks.plot_results --results=benchmarks/results.jsonl \
        --output_dir=benchmarks/reports

Of each kind (the benchmark, and settings such as the preset and the precision)
the newest line of the file is drawn: `peers.png`, `scaling.png`,
`training_phases.png`, `inference.png` and `input.png`, so far as they have
been measured.
"""

import importlib.util
import os

from absl import flags

from benchmarks import newest_results
from benchmarks import result_figures
from electra_tf import plots
from electra_tf import program

_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that benchmarks wrote."
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "benchmarks/reports", "Folder that gets the figures."
)


def main():
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError(
            "Figures need matplotlib: pip install -r requirements.txt"
        )
    lines = newest_results.read(_RESULTS.value)
    for benchmark, reason in result_figures.not_drawn(lines).items():
        print(f"Not drawn: {benchmark}, for {reason}.")
    by_file = result_figures.panels(lines)
    if not by_file:
        raise ValueError(
            f"{_RESULTS.value} has nothing to draw. These benchmarks are "
            f"drawn: {', '.join(result_figures.FIGURES)}."
        )
    os.makedirs(_OUTPUT_DIR.value, exist_ok=True)
    for name, panels in by_file.items():
        path = os.path.join(_OUTPUT_DIR.value, name)
        plots.draw(path, panels)
        print(path)


if __name__ == "__main__":
    program.run(main)

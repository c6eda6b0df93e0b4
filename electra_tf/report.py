"""Writes a page of a run's curves, numbers and examples, or compares runs.

    python -m electra_tf.report MODEL
    python -m electra_tf.report RUN_A RUN_B RUN_C --output=comparison.html

MODEL is a folder of pre-training or fine-tuning, finished or not. The page is
one file that needs no network; training writes it at its end, too.
"""

from absl import flags

from electra_tf import program
from electra_tf import run_report

_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "File to write; by default report.html, in the folder of a single run, "
    "or in the current folder for several.",
)


def main(*model_dirs: str):
    if not model_dirs:
        raise ValueError("Name one model folder, or several to compare.")
    if len(model_dirs) == 1:
        path = run_report.write(model_dirs[0], output=_OUTPUT.value)
    else:
        path = run_report.write_comparison(model_dirs, output=_OUTPUT.value)
    print(f"Wrote {path}")


def run():
    program.run(main, takes_arguments=True)


if __name__ == "__main__":
    run()

"""What all command-line programs share."""

from collections.abc import Callable
import sys
import traceback

from absl import app
from absl import flags
from absl import logging

from electra_tf import interruption


def run(main: Callable[..., None], *, takes_arguments: bool = False):
    """Parses flags and runs `main`; a user's mistake ends it with one line.

    Wrong input is raised as ValueError all over the libraries. Its message
    goes to standard error, the exit code is 1, and `--v=1` shows where it was
    raised. After `interruption.Interrupted` the exit code is 75: the same
    command again goes on.
    """

    def checked_main(argv):
        if len(argv) > 1 and not takes_arguments:
            raise app.UsageError(f"Unexpected arguments: {argv[1:]}.")
        try:
            main(*argv[1:])
        except interruption.Interrupted as error:
            print(f"Interrupted: {error}", file=sys.stderr)
            sys.exit(interruption.EXIT_CODE)
        except (
            ValueError,
            flags.Error,
            OSError,
            *_tensorflow_errors(),
        ) as error:
            logging.debug("%s", traceback.format_exc())
            sys.exit(f"Error: {error}")

    app.run(checked_main)


def _tensorflow_errors() -> tuple[type[Exception], ...]:
    """None, if it was not imported: the program would wait for it."""
    tensorflow = sys.modules.get("tensorflow")
    return (tensorflow.errors.OpError,) if tensorflow else ()

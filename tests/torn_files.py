"""What can become of a checkpoint, as functions of its prefix."""

import os

_DATA, _INDEX = ".data-00000-of-00001", ".index"


def _truncate(suffix: str, share: float):
    def tear(prefix: str):
        size = os.path.getsize(prefix + suffix)
        os.truncate(prefix + suffix, int(size * share))

    return tear


def _remove(suffix: str):
    return lambda prefix: os.remove(prefix + suffix)


def _overwrite(suffix: str, offset: int):
    def tear(prefix: str):
        with open(prefix + suffix, "r+b") as file:
            file.seek(offset)
            file.write(b"garbage")

    return tear


VARIANTS = {
    "truncated_data": _truncate(_DATA, 0.5),
    "empty_data": _truncate(_DATA, 0.0),
    "no_data": _remove(_DATA),
    "garbage_in_data": _overwrite(_DATA, 16),
    "truncated_index": _truncate(_INDEX, 0.5),
    "empty_index": _truncate(_INDEX, 0.0),
    "no_index": _remove(_INDEX),
    "garbage_in_index": _overwrite(_INDEX, 0),
}

"""A certificate for this machine, made for one test."""

import os
import shutil
import subprocess
from typing import NamedTuple
import unittest


class TlsFiles(NamedTuple):
    """Paths of PEM files."""

    certificate: str
    key: str


def make(directory: str) -> TlsFiles:
    """A certificate of "localhost" that is its own root; skips without it."""
    if shutil.which("openssl") is None:
        raise unittest.SkipTest("There is no openssl to make a certificate.")
    files = TlsFiles(
        os.path.join(directory, "certificate.pem"),
        os.path.join(directory, "key.pem"),
    )
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec"]
        + ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-subj", "/CN=localhost", "-days", "2"]
        + ["-addext", "subjectAltName=DNS:localhost"]
        + ["-out", files.certificate, "-keyout", files.key],
        check=True,
        capture_output=True,
    )
    return files

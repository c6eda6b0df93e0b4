"""Several hosts of a training run, all of them processes of this machine."""

import contextlib
import json
import socket


def tf_configs(num_workers: int) -> list[str | None]:
    """TF_CONFIG of each worker; None for one without others.

    Ports are free when it returns; the workers are to take them soon.
    """
    if num_workers == 1:
        return [None]
    with contextlib.ExitStack() as stack:
        hosts = []
        for _ in range(num_workers):
            free = stack.enter_context(socket.socket())
            free.bind(("127.0.0.1", 0))
            hosts.append(f"127.0.0.1:{free.getsockname()[1]}")
    return [
        json.dumps(
            {
                "cluster": {"worker": hosts},
                "task": {"type": "worker", "index": index},
            }
        )
        for index in range(num_workers)
    ]

"""Files of tensors of Hugging Face: whole or in shards, safe to read.

`model.safetensors`, in shards with an index, or `pytorch_model.bin`, which is
a pickle: only PyTorch's weights-only reader, which runs no code, opens it.
"""

import json
import os
import pickle  # For the error that it raises; it opens no file here.

import numpy as np
import safetensors
import safetensors.numpy
import tensorflow as tf

_SAFETENSORS = "model.safetensors"
_PYTORCH = "pytorch_model.bin"
_INDEX = ".index.json"


def has_tensors(directory: str) -> bool:
    """Whether there is a file of tensors that `read` knows."""
    return bool(_find(directory))


def read_shapes(directory: str) -> dict[str, tuple[int, ...]]:
    """Shapes of all tensors; reads only headers of safetensors files."""
    paths = _paths(directory)
    if paths[0].endswith(".bin"):
        return {name: v.shape for name, v in read(directory).items()}
    shapes = {}
    for path in paths:
        with tf.io.gfile.GFile(path, "rb") as file:
            # The header's length, and the header as JSON.
            header = json.loads(
                file.read(int.from_bytes(file.read(8), "little"))
            )
        header.pop("__metadata__", None)
        shapes |= {name: tuple(h["shape"]) for name, h in header.items()}
    return shapes


def read(directory: str) -> dict[str, np.ndarray]:
    """All tensors, float32 whatever their precision in the files."""
    tensors = {}
    for path in _paths(directory):
        read_file = (
            _read_pytorch if path.endswith(".bin") else _read_safetensors
        )
        tensors |= read_file(path)
    return tensors


def write(directory: str, tensors: dict[str, np.ndarray]) -> str:
    """Writes `model.safetensors`; returns its path."""
    path = os.path.join(directory, _SAFETENSORS)
    data = safetensors.numpy.save(
        {name: np.ascontiguousarray(value) for name, value in tensors.items()},
        # Without it, transformers refuses the file.
        metadata={"format": "pt"},
    )
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(data)
    return path


def _find(directory: str) -> str | None:
    for name in (_SAFETENSORS, _PYTORCH):
        for path in (name, name + _INDEX):
            if tf.io.gfile.exists(os.path.join(directory, path)):
                return os.path.join(directory, path)
    return None


def _paths(directory: str) -> list[str]:
    """The files that hold the tensors."""
    path = _find(directory)
    if path is None:
        raise ValueError(
            f"{directory!r} has the config.json of a Hugging Face model, but "
            f"neither {_SAFETENSORS} nor {_PYTORCH}."
        )
    if not path.endswith(_INDEX):
        return [path]
    with tf.io.gfile.GFile(path) as file:
        shards = sorted(set(json.load(file)["weight_map"].values()))
    return [os.path.join(directory, shard) for shard in shards]


def _read_safetensors(path: str) -> dict[str, np.ndarray]:
    with tf.io.gfile.GFile(path, "rb") as file:
        data = file.read()
    try:
        tensors = safetensors.deserialize(data)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path!r} is damaged: {error}") from error
    return {
        name: _as_float32(tensor["data"], tensor["dtype"], tensor["shape"])
        for name, tensor in tensors
    }


def _as_float32(data: bytes, dtype: str, shape: list[int]) -> np.ndarray:
    dtypes = {
        "F64": np.float64,
        "F32": np.float32,
        "F16": np.float16,
        "BF16": tf.bfloat16.as_numpy_dtype,
        "I64": np.int64,
    }
    if dtype not in dtypes:
        raise ValueError(
            f"Tensors of type {dtype} cannot be read, only "
            f"{', '.join(dtypes)}: save the model in float32."
        )
    array = np.frombuffer(data, dtypes[dtype]).reshape(shape)
    return array.astype(np.float32)


def _read_pytorch(path: str) -> dict[str, np.ndarray]:
    try:
        import torch  # Heavy, and only needed for this old format.
    except ImportError as error:
        raise ValueError(
            f"{path!r} can only be read with PyTorch, which is not installed. "
            "Install torch, or save the model as safetensors, as "
            "`save_pretrained` of transformers does."
        ) from error
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            tensors = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path!r} is damaged, or holds more than weights, such as code: "
            f"{error}"
        ) from error
    return {name: tensor.float().numpy() for name, tensor in tensors.items()}

"""Weights to start from, wherever they come from.

`load` finds out by itself what a path holds: a model folder of ours, a
TensorFlow 1 checkpoint of the original or of BERT, or models of Hugging Face.
Variables bear the original's names in every case.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import functools
import os
from typing import Any
from typing import Literal

from electra_tf import architecture
from electra_tf import checkpoints
from electra_tf import config
from electra_tf import huggingface
from electra_tf import huggingface_files
from electra_tf import model_folder
from electra_tf import networks
from electra_tf import original_files
from electra_tf import positions
from electra_tf import tokenization
from electra_tf import tokenizer_files

Format = Literal["electra_tf", "original", "huggingface"]

_CHECKPOINTS = "checkpoints"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Untold:
    """What a path may not tell, and what is assumed instead of None.

    Attributes:
        vocab_file: Vocabulary of the weights; the one beside them.
        lower_case: Whether text is lower-cased; what is written beside the
            weights, or the original's rule: yes.
        strip_accents: Likewise, whether accents are removed from it.
        num_attention_heads: Of the main encoder; what is written beside the
            weights, or the original's rule: `hidden_size` / 64.
    """

    vocab_file: str | None = None
    lower_case: bool | None = None
    strip_accents: bool | None = None
    num_attention_heads: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Weights, and what is known of their model.

    Attributes:
        path: where they are.
        format: who wrote them.
        kind: "pretraining", "finetuning", or "encoder" if it is not known
            what is on top of it.
        encoder: shape of the main encoder, `electra/...`.
        run_config: of pre-training; None for the other kinds.
        read: reads the variables by their names.
        read_tokenizer: reads the tokenizer; None if there is no vocabulary.
        step: of training; 0 if it is not known.
        unused: why some of what the files hold is no variable here, by the
            names that it has there.
        contents: what the `config.json` of a model folder of ours holds.
    """

    path: str
    format: Format
    kind: Literal["pretraining", "finetuning", "encoder"]
    encoder: config.EncoderConfig
    run_config: config.PretrainConfig | None = None
    read: Callable[[], networks.Values]
    read_tokenizer: Callable[[], tokenization.Tokenizer | None]
    step: int = 0
    unused: Mapping[str, str] = dataclasses.field(default_factory=dict)
    contents: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def variables(self) -> networks.Values:
        """All of the model's variables, read once."""
        return self.read()

    @property
    def weights(self) -> networks.Weights:
        """The variables with their configuration."""
        return networks.Weights(self.variables, self.encoder, self.run_config)

    def tokenizer(self) -> tokenization.Tokenizer:
        """The tokenizer; ValueError if there is none that fits."""
        tokenizer = self.read_tokenizer()
        if tokenizer is None:
            raise ValueError(
                f"No vocabulary beside {self.path!r}: put vocab.txt there, or "
                "name it by --vocab_file."
            )
        if tokenizer.vocab_size != self.encoder.vocab_size:
            raise ValueError(
                f"The vocabulary of {self.path!r} has {tokenizer.vocab_size} "
                f"entries, the model {self.encoder.vocab_size}."
            )
        return tokenizer


def load(path: str, untold: Untold | None = None) -> Source:
    """Finds out what a path holds; values of variables are read later.

    Args:
        path: a model folder of ours, its `checkpoints/`, or the prefix of one
            of them; a checkpoint of the original or of BERT, as a prefix or a
            folder; a folder of Hugging Face, or one with such folders
            `discriminator` and `generator`, which are one model then.
        untold: what the path may not tell.

    Raises:
        ValueError: none of these, or damaged or incomplete, or it contradicts
            `untold`.
    """
    path, untold = path.rstrip("/"), untold or Untold()
    pair = [
        os.path.join(path, name)
        for name in (networks.DISCRIMINATOR, networks.GENERATOR)
    ]
    pair = [folder for folder in pair if huggingface.is_folder(folder)]
    if huggingface.is_folder(path):
        source = _load_huggingface(path, untold)
    elif pair:
        source = _load_pair(path, pair, untold)
    elif (model_dir := _model_dir(path)) is not None:
        source = _load_ours(path, model_dir, untold)
    else:
        source = _load_original(path, untold)
    heads = untold.num_attention_heads
    if heads and heads != source.encoder.num_attention_heads:
        raise ValueError(
            f"{path!r} says that the encoder has "
            f"{source.encoder.num_attention_heads} attention heads, not "
            f"{heads}: leave num_attention_heads out."
        )
    return source


def extended(source: Source, num_positions: int) -> Source:
    """A source with longer position tables, see `positions`."""
    positions.check(source.encoder.max_position_embeddings, num_positions)
    encoder = dataclasses.replace(
        source.encoder, max_position_embeddings=num_positions
    )
    run_config = source.run_config and dataclasses.replace(
        source.run_config, max_position_embeddings=num_positions
    )
    return dataclasses.replace(
        source,
        encoder=encoder,
        run_config=run_config,
        read=lambda: positions.extend_positions(source.read(), num_positions),
    )


def _load_ours(path: str, model_dir: str, untold: Untold) -> Source:
    contents = model_folder.read(model_dir)
    prefix = checkpoints.find(path)
    run_config, kind = None, contents["kind"]
    if kind == "pretraining":
        run_config = config.from_dict(config.PretrainConfig, contents["config"])
        encoder = run_config.encoder
    else:
        encoder = config.from_dict(
            config.EncoderConfig,
            contents["encoder" if kind == "finetuning" else "config"],
        )
    return Source(
        path=path,
        format="electra_tf",
        kind=kind,
        encoder=encoder,
        run_config=run_config,
        read=functools.partial(checkpoints.read_variables, prefix),
        read_tokenizer=_tokenizer_reader(model_dir, untold),
        step=checkpoints.read_step(prefix),
        contents=contents,
    )


def _load_original(path: str, untold: Untold) -> Source:
    prefix = checkpoints.find(path)
    directory = os.path.dirname(prefix)
    all_shapes = checkpoints.read_shapes(prefix)
    used, unused = original_files.our_names(all_shapes)
    shapes = {name: all_shapes[theirs] for name, theirs in used.items()}
    stated = original_files.read_config(directory)
    if untold.num_attention_heads:
        stated["num_attention_heads"] = untold.num_attention_heads

    def read() -> networks.Values:
        values = checkpoints.read_variables(prefix)
        return {name: values[theirs] for name, theirs in used.items()}

    return _source(
        shapes,
        architecture.encoder_config(shapes, stated),
        path=path,
        format="original",
        read=read,
        read_tokenizer=_tokenizer_reader(directory, untold),
        step=checkpoints.read_step(prefix),
        unused=unused,
    )


def _load_huggingface(path: str, untold: Untold) -> Source:
    all_shapes = huggingface_files.read_shapes(path)
    used, unused = huggingface.our_names(all_shapes)
    shapes = {
        name: huggingface.our_shape(name, all_shapes[theirs])
        for name, theirs in used.items()
    }
    return _source(
        shapes,
        huggingface.encoder_config(path, shapes),
        path=path,
        format="huggingface",
        read=functools.partial(huggingface.read, path),
        read_tokenizer=_tokenizer_reader(path, untold),
        unused=unused,
    )


def _load_pair(path: str, folders: list[str], untold: Untold) -> Source:
    """A discriminator and a generator of Hugging Face, or one of them."""
    parts = [_load_huggingface(folder, untold) for folder in folders]
    if len(parts) == 1:
        return parts[0]

    def read_tokenizer():
        first, second = [part.read_tokenizer() for part in parts]
        if first and second and first.vocab != second.vocab:
            raise ValueError(
                f"Discriminator and generator in {path!r} have different "
                "vocabularies."
            )
        return first or second

    weights = networks.join(*(part.weights for part in parts))
    return dataclasses.replace(
        parts[0],
        path=path,
        kind="pretraining",
        run_config=weights.run_config,
        read=lambda: weights.values,
        read_tokenizer=read_tokenizer,
        unused={
            os.path.join(os.path.basename(part.path), name): reason
            for part in parts
            for name, reason in part.unused.items()
        },
    )


def _source(
    shapes: architecture.Shapes, encoder: config.EncoderConfig, **fields
) -> Source:
    """What variables tell that come without a configuration of ours."""
    run_config = architecture.pretrain_config(shapes, encoder)
    return Source(
        kind="pretraining" if run_config else "encoder",
        encoder=encoder,
        run_config=run_config,
        **fields,
    )


def _model_dir(path: str) -> str | None:
    """The model folder of ours that a path is in; None if it is in none."""
    parent = os.path.dirname(path)
    candidates = [path]
    if os.path.basename(path) == _CHECKPOINTS:
        candidates = [parent]
    elif os.path.basename(parent) == _CHECKPOINTS:
        candidates = [os.path.dirname(parent)]
    return next(filter(model_folder.is_folder, candidates), None)


def _tokenizer_reader(
    directory: str, untold: Untold
) -> Callable[[], tokenization.Tokenizer | None]:
    return functools.partial(
        tokenizer_files.read,
        directory,
        vocab_file=untold.vocab_file,
        lower_case=untold.lower_case,
        strip_accents=untold.strip_accents,
    )

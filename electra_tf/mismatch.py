"""Why the variables of a checkpoint do not fit a model: the likely causes.

Shapes tell which field of the configuration differs, so that an error about
hundreds of variables ends with the one value to change.
"""

from electra_tf import architecture

Shapes = architecture.Shapes

_QUERY = "encoder/layer_0/attention/self/query/kernel"


def causes(checkpoint: Shapes, model: Shapes) -> list[str]:
    """What most likely differs between a checkpoint and a model.

    Args:
        checkpoint: shapes of its variables by their names.
        model: likewise.

    Returns:
        One sentence for each cause, such as "vocab_size is 30522 in the
        checkpoint, 8192 in the model."; empty if there is no idea.
    """
    if not any(name.startswith("electra/") for name in checkpoint):
        scopes = sorted({name.partition("/")[0] for name in checkpoint})
        return [
            "The checkpoint holds no electra/... variables, only "
            f"{', '.join(scopes) or 'none at all'}: is it one of ELECTRA?"
        ]
    return [
        *_size_causes(checkpoint, model),
        *_depth_causes(checkpoint, model),
        *_generator_causes(checkpoint, model),
    ]


def _size_causes(checkpoint: Shapes, model: Shapes) -> list[str]:
    """Fields that one number of one shape is."""
    embeddings = "electra/embeddings/"
    found = []
    for field, name, axis in (
        ("vocab_size", embeddings + "word_embeddings", 0),
        ("embedding_size", embeddings + "word_embeddings", 1),
        ("type_vocab_size", embeddings + "token_type_embeddings", 0),
        ("max_position_embeddings", embeddings + "position_embeddings", 0),
        ("hidden_size", f"electra/{_QUERY}", 0),
        ("intermediate_size", "electra/encoder/layer_0/output/dense/kernel", 0),
    ):
        theirs, ours = _size(checkpoint, name, axis), _size(model, name, axis)
        if theirs and ours and theirs != ours:
            sentence = _differs(field, theirs, ours)
            if field == "max_position_embeddings" and theirs < ours:
                sentence += " Its table can be extended: --extend_positions."
            found.append(sentence)
    return found


def _depth_causes(checkpoint: Shapes, model: Shapes) -> list[str]:
    depths = [
        [
            architecture.num_layers(shapes, scope)
            for shapes in (checkpoint, model)
        ]
        for scope in ("electra", "generator")
    ]
    (theirs, ours), (their_generator, our_generator) = depths
    found = []
    if theirs != ours and ours:
        found.append(_differs("num_hidden_layers", theirs, ours))
    if their_generator and our_generator and theirs and ours:
        theirs, ours = their_generator / theirs, our_generator / ours
        if theirs != ours:
            found.append(_differs("generator_layers", theirs, ours))
    return found


def _generator_causes(checkpoint: Shapes, model: Shapes) -> list[str]:
    """Width and tying of the generator."""
    found = []
    theirs = _size(checkpoint, f"generator/{_QUERY}", 0)
    ours = _size(model, f"generator/{_QUERY}", 0)
    width = _size(checkpoint, f"electra/{_QUERY}", 0)
    if theirs and ours and width and theirs != ours:
        share = theirs / width
        note = " as in the released ELECTRA-Small" if share == 1 else ""
        found.append(
            f"The generator is {theirs} wide in the checkpoint, {ours} in the "
            f"model: generator_hidden_size={share:.6g}{note}."
        )
    theirs, ours = architecture.tying(checkpoint), architecture.tying(model)
    if theirs and ours and theirs != ours:
        found.append(_differs("tying", repr(theirs), repr(ours)))
    return found


def _size(shapes: Shapes, name: str, axis: int) -> int | None:
    shape = shapes.get(name, shapes.get(name + "_delta", ()))
    return shape[axis] if len(shape) > axis else None


def _differs(field: str, theirs, ours) -> str:
    return f"{field} is {theirs} in the checkpoint, {ours} in the model."

"""Data sets of tensorflow_datasets that are there, or are fetched."""

_MAX_ERROR_CHARACTERS = 500


def tensorflow_datasets():
    """The module."""
    # Here, as it takes seconds to import, and few runs need it.
    import tensorflow_datasets

    return tensorflow_datasets


def open_builder(name: str, *, data_dir: str | None, may_download: bool):
    """A builder of a data set whose files are there.

    Args:
        name: such as "glue/cola", perhaps with ":" and a version.
        data_dir: holds the data sets; where tensorflow_datasets puts them if
            None.
        may_download: whether it is downloaded and prepared if need be.

    Raises:
        ValueError: it is not there.
    """
    tfds = tensorflow_datasets()
    try:
        # It needs no code of the data set.
        return tfds.core.read_only_builder.builder_from_files(
            name, data_dir=data_dir
        )
    except ValueError:
        pass  # It may be there under the name of a default configuration.
    folder = data_dir or str(tfds.core.constants.DATA_DIR)
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except (ValueError, RuntimeError, ImportError) as error:
        raise ValueError(
            f"Data set {name!r} is neither in {folder} nor known to "
            f"tensorflow_datasets: {str(error).strip()[:_MAX_ERROR_CHARACTERS]}"
            "\nName its folder with --tfds_data_dir."
        ) from error
    if may_download:
        builder.download_and_prepare()
    elif not builder.is_prepared():
        raise ValueError(
            f"Data set {name!r} is not prepared in {folder}. Name its folder "
            f"with --tfds_data_dir, prepare it with `tfds build {name}`, or "
            "have it downloaded and prepared with --tfds_download."
        )
    return builder

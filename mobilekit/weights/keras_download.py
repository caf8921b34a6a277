"""Weights of keras.applications, fetched by Keras into the folder where it keeps them."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import cast

import keras
from keras.src.backend.config import keras_home

from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import UsageError, WeightsFileError
from mobilekit.core.loading import load
from mobilekit.core.model import ModelSpec
from mobilekit.weights.keras_applications import APPLICATIONS, Application
from mobilekit.weights.keras_published import published_of
from mobilekit.weights.mapping import load_keras_weights


def find_keras_weights(spec: ModelSpec) -> Path:
    """The file of the application's own weights; Keras downloads it if it is not there yet.

    Raises:
        UsageError: If there are none for `spec`, or they can neither be found nor downloaded.
        WeightsFileError: If what came is not what Keras publishes.
    """
    row = APPLICATIONS[spec.architecture]
    path = models_folder() / published_of(row).file_for(spec)
    if not path.is_file():
        published_application(row, spec, path)
    return path


def load_published(model: keras.Model, spec: ModelSpec, path: Path) -> None:
    """Carries the application's weights into `model`, after Keras checked the file's hash.

    Raises:
        UsageError: If Keras refused the file, and cannot download it again.
        WeightsFileError: If the file is damaged, or Keras replaced it by another.
    """
    row = APPLICATIONS[spec.architecture]
    before = sha256_file(path)
    theirs = published_application(row, spec, path)
    if sha256_file(path) != before:
        raise WeightsFileError(
            str(path), "it was not what Keras publishes, which downloaded it again; run this again"
        )
    load_keras_weights(model, load(row.names)(), theirs)


def models_folder() -> Path:
    """Where Keras keeps the weights of its applications: its own home, or /tmp if that is not."""
    home = Path(keras_home()).expanduser()
    return (home if os.access(home, os.W_OK) else Path("/tmp/.keras")) / "models"


def published_application(row: Application, spec: ModelSpec, path: Path) -> keras.Model:
    """The application with its weights from `path`, checked or fetched by Keras."""
    was_there = path.is_file()
    size = published_of(row).size_for(spec)
    width = {"alpha": spec.alpha} if ARCHITECTURES[row.name].has_alpha else {}
    try:
        # What Keras prints of its progress is not what a command prints.
        with contextlib.redirect_stdout(io.StringIO()):
            return cast(
                keras.Model,
                getattr(keras.applications, row.function)(
                    input_shape=(size, size, 3),
                    weights="imagenet",
                    classifier_activation=None,
                    **width,
                    **row.arguments,
                ),
            )
    except Exception as error:  # of a download and of a damaged file, whatever comes up
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
        if path.is_file():
            raise WeightsFileError(str(path), f"Keras cannot load it ({reason})") from error
        replaced = "; what was there had another hash, so Keras removed it" if was_there else ""
        raise UsageError(
            f"The keras weights of {spec.architecture} are not at {path}{replaced}, and Keras could"
            f" not download them ({reason}); fetch the file {path.name} elsewhere and put it there."
        ) from error

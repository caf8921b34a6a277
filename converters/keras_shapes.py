"""The parameters of a Keras model, counted before they take memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
from keras.src.backend.common import global_state

# Where Keras keeps variables that wait for their first value. It would give them one whenever the
# next scope ends, those of a model that was only counted too.
WAITING = "uninitialized_variables"


@contextmanager
def shapes_alone() -> Iterator[None]:
    """Layers that are made inside have variables with shapes and no values: nothing to run."""
    waiting = list(global_state.get_global_attribute(WAITING, []))
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute(WAITING, waiting)


def count_params(build: Callable[[], keras.Model]) -> int:
    """Builds a model of shapes alone and counts its parameters."""
    with shapes_alone():
        return int(build().count_params())

"""The parameters of a Keras model, counted before they take memory."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras.src.backend.common import global_state

# Where Keras keeps variables that wait for their first value. It would give them one whenever the
# next scope ends, those of a model that was only counted too.
WAITING = "uninitialized_variables"


def count_params(build: Callable[[], keras.Model]) -> int:
    """Builds a model of shapes alone and counts its parameters."""
    waiting = list(global_state.get_global_attribute(WAITING, []))
    try:
        with keras.StatelessScope(initialize_variables=False):
            return int(build().count_params())
    finally:
        global_state.set_global_attribute(WAITING, waiting)

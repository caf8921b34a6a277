"""Topological subdivisioning: channels on a torus, each connected to those near to it.

Source: arXiv:1608.04337. Its channels lie on a grid of s dimensions whose ends meet, and an output
sees a window of the inputs that begins at its own place.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import keras
from keras import layers

from mobilekit.architectures.blocks import LINEAR, Blocks


@dataclass(frozen=True, kw_only=True)
class Torus:
    """Where channels lie: `cells` cells along each of `axes` axes, neighbouring channels in one.

    An output's window is `window` cells long along each axis, so of all connections
    (window / cells) ** axes are left.
    """

    axes: int
    cells: int
    window: int

    def project(
        self, blocks: Blocks, x: keras.KerasTensor, filters: int, name: str
    ) -> keras.KerasTensor:
        """A 1x1 convolution over the window of each output: -> (N, H, W, filters).

        One grouped convolution connects every cell to itself; of the channels moved by one cell it
        connects every cell to the next. The sum over the window's places is the whole window.
        Each has a batch norm of its own, since one behind the sum would fold into none of them.
        """
        moved = {(0,) * self.axes: x}
        groups = self.cells**self.axes
        windows = []
        for shifts in product(range(self.window), repeat=self.axes):
            place = f"{name}_{''.join(map(str, shifts))}"
            if any(shifts):
                last = max(axis for axis, shift in enumerate(shifts) if shift)
                before = moved[*shifts[:last], 0, *shifts[last + 1 :]]
                moved[shifts] = self._move(before, last, shifts[last], f"{place}_moved")
            windows.append(
                blocks.conv(moved[shifts], filters, 1, groups=groups, activation=LINEAR, name=place)
            )
        total = windows[0]
        for number, window in enumerate(windows[1:], 1):
            total = layers.Add(name=f"{name}_add_{number}")([total, window])
        return total

    def _move(self, x: keras.KerasTensor, axis: int, shift: int, name: str) -> keras.KerasTensor:
        """Channels by so many cells along an axis; those that leave come in behind."""
        height, width, channels = x.shape[1:]
        # Channels of one ring of cells next to each other, the rings beside pixels.
        rings = self.cells**axis
        ring = channels // rings
        front = shift * ring // self.cells
        x = layers.Reshape((height, width * rings, ring), name=f"{name}_rings")(x)
        behind = _channels(x, front, ring, f"{name}_behind")
        x = layers.Concatenate(name=f"{name}_joined")(
            [behind, _channels(x, 0, front, f"{name}_front")]
        )
        return layers.Reshape((height, width, channels), name=name)(x)


def _channels(x: keras.KerasTensor, first: int, end: int, name: str) -> keras.KerasTensor:
    """Channels from `first` to before `end`; of NHWC read as NCHW they are the columns."""
    cropped = ((0, 0), (first, x.shape[-1] - end))
    return layers.Cropping2D(cropped, data_format="channels_first", name=name)(x)

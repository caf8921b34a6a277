"""The training rung with real quantization-aware training."""

import numpy as np
import pytest
from PIL import Image

from mobilekit.core.preprocessing import Preprocessing
from mobilekit.images import image_set
from mobilekit.ladder.aware import train_aware
from mobilekit.ladder.climber import Climber
from mobilekit.ladder.parts import parts_of
from mobilekit.ladder.records import Budget
from mobilekit.ladder.rungs import RUNGS, Options
from mobilekit.sources import network_of_model

pytestmark = pytest.mark.needs_tensorflow

EXPECTS = Preprocessing(input_size=(16, 16), resize_shorter=16, mean=(127.5,) * 3, std=(127.5,) * 3)


def test_the_training_rung_gives_a_checked_int8_file_of_a_trained_network(tmp_path):
    from tests import small_networks

    random = np.random.default_rng(0)
    for part, count in (("calibration", 8), ("images", 40)):
        (tmp_path / part).mkdir()
        for number in range(count):
            pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / part / f"{number:02}.png")
    images = image_set(tmp_path / "images")
    labels = {path.name: n % small_networks.CLASSES for n, path in enumerate(images.paths)}
    said = []
    climber = Climber(
        network_of_model(small_networks.plain(), EXPECTS),
        parts_of(image_set(tmp_path / "calibration"), images, said.append, training=True),
        labels,
        Budget(max_drop=1),
        Options(trainer=train_aware),
        tmp_path / "files",
        said.append,
    )
    plain = RUNGS["minmax"].make(climber)
    trained = RUNGS["trained"].make(climber)
    assert trained.recipe.name == "static_wi8_ai8"
    assert trained.model.sha256 != plain.model.sha256
    assert any("epoch 2 of 2" in sentence for sentence in said)

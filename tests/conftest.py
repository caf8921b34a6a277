"""Fixtures that several files use."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.ssh_boards import (  # noqa: F401 - fixtures
    asyncssh_board,
    asyncssh_device,
    openssh_board,
    openssh_device,
)

ROOT = Path(__file__).parent.parent
DATA = ROOT / "build" / "data"
# Made of Keras layers from its first line on, so it cannot even be collected without Keras.
collect_ignore = [] if find_spec("keras") else ["test_qat.py"]


@pytest.fixture(scope="session")
def evaluation_images():
    """The 20 labelled photographs, and their labels by name; `make data` brings them."""
    from mobilekit.images import image_set, read_labels

    images = image_set(DATA / "evaluation")
    return images, read_labels(DATA / "evaluation" / "labels.txt", images)

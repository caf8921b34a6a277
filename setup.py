"""Installs the three packages. Every dependency stands beside the reason for it."""

import re
from pathlib import Path

from setuptools import find_packages, setup

INIT = Path(__file__).with_name("mobilekit") / "__init__.py"

setup(
    name="mobilekit",
    version=re.search(r'__version__ = "(.+)"', INIT.read_text())[1],
    description="Convolutional networks on mobile devices: build, convert, measure, compare.",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(
        include=["mobilekit*", "converters*", "android_bench*"],
    ),
    package_data={
        "mobilekit": ["templates/*", "py.typed"],
        "converters": ["delegates/*.json"],
    },
    install_requires=[
        "absl-py>=2.3,<3",  # flags and logging of the command line
        "ai-edge-litert>=2.3,<2.4",  # runs .tflite files here; its schema reads them
        "filelock>=3.20,<5",  # one measurement at a time on one device
        "flatbuffers>=25.2,<26",  # the accessors under LiteRT's schema
        "jinja2>=3.1,<4",  # the report's templates, with everything escaped
        "markupsafe>=3,<4",  # marks the report's own SVG as escaped already
        "matplotlib>=3.10,<4",  # the report's plots, as SVG inside the page
        "numpy>=2.1,<3",  # arrays in and out of every model
        "pillow>=11.3,<14",  # decodes and resizes pictures
        "platformdirs>=4.3,<5",  # where the lock and the local secret live
        "rich>=14,<16",  # tables and progress in the terminal
        "scipy>=1.15,<2",  # the statistics of comparisons and accuracies
    ],
    extras_require={
        # An adb for computers that have none; nothing of it is imported.
        "adb": ["adbutils>=2.12,<3"],  # its wheel carries adb 36
        # Everything that builds or converts; a bench host does without.
        "convert": [
            "tensorflow>=2.21,<2.22",  # the converter's routes are measured on this release
            "keras>=3.15,<3.16",  # the builders
            "ai-edge-quantizer>=0.10,<0.11",  # writes quantized files from ranges
        ],
        # The runtime before LiteRT, for boards that still have it; Python 3.11, numpy < 2,
        # so it lives in an environment of its own and nothing else is installed there.
        "legacy": ["tflite-runtime==2.14.0", "numpy<2"],
        "test": [
            "adbutils>=2.12,<3",  # the adb that drives the simulated phone
            "asyncssh>=2.24,<3",  # an ssh server whose faults can be chosen
            "build>=1.2",  # the wheel whose contents are pinned
            "hypothesis>=6.130",  # properties
            "mypy>=1.18",  # types
            "pytest>=8.4",  # runs the tests
            "pytest-xdist>=3.8,<4",  # on two cores at once
            "ruff>=0.14",  # format and lint
            "setuptools>=77",  # builds that wheel without fetching anything
        ],
    },
    entry_points={"console_scripts": ["mobilekit = mobilekit.__main__:run"]},
)

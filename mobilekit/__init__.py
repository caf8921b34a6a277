"""Build, convert, measure and compare convolutional networks for mobile devices."""

__version__ = "0.1.0"

"""Measures .tflite files on devices. Imports mobilekit.core and nothing else of the project."""

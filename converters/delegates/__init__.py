"""What each delegate takes, as data, and the checker that holds a .tflite against it.

The nine rule files and `vocabulary.json` are facts read from the sources that each names. Nothing
is run: an answer is "by the rules of" its source.
"""

"""Serving a published model over HTTP: the analysis chain of training, the SavedModel, and swaps between versions."""

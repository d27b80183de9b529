"""What every part of textmill shares: its errors, its parameter model, its files."""

__version__ = "0.1.0"

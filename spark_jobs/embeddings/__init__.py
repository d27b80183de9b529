"""Vectors of tokens: pretrained files, sub-words, and what stands near what."""

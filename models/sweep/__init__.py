"""Sweeps: many trainings, each a Spark task that a process forked from a warm server of its executor carries out."""

"""Scalars for TensorBoard without TensorFlow."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from pathlib import Path


def write(folder: Path, step: int, scalars: Mapping[str, float]) -> None:
    """Add the scalars of a step to the events in `folder`, in a file of their own."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    values = [Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
    at = time.time()
    file = folder / f"events.out.tfevents.{int(at)}.{socket.gethostname()}.{step}"
    with file.open("wb") as stream:
        records = RecordWriter(stream)
        for event in (
            Event(wall_time=at, file_version="brain.Event:2"),
            Event(wall_time=at, step=step, summary=Summary(value=values)),
        ):
            records.write(event.SerializeToString())
        records.flush()

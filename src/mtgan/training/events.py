"""What TensorBoard shows: event files, written in the thread that trains.

So a disk that is full is noticed where it is written to. (SummaryWriter writes in a thread of its
own, whose errors come late and with a traceback, and takes over a second to import.)
"""

import io
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mtgan import files


class EventFile:
    """A new file of events in `folder`, whose parent exists.

    purge_step: points of this step and later ones in earlier files are hidden.
    remedy: ends the sentence of the UserError of whatever cannot be written.
    """

    def __init__(self, folder: Path, purge_step: int, remedy: str = "") -> None:
        from tensorboard.compat.proto import event_pb2

        # TensorBoard reads the files of a folder in the order of their names.
        self._path = folder / f"events.out.tfevents.{time.time():.6f}.{os.getpid()}"
        self._remedy = remedy
        with files.writing(folder, remedy):
            folder.mkdir(exist_ok=True)
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._add(file_version="brain.Event:2")
        self._add(step=purge_step, session_log=start)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._summarize(step, [{"tag": tag, "simple_value": x} for tag, x in values.items()])

    def picture(self, step: int, tag: str, image: np.ndarray) -> None:
        """image uint8 [H, W, 3]."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        height, width, channels = image.shape
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "png")
        encoded = Summary.Image(
            height=height,
            width=width,
            colorspace=channels,
            encoded_image_string=buffer.getvalue(),
        )
        self._summarize(step, [{"tag": tag, "image": encoded}])

    def flush(self) -> None:
        """Bring the file to the disk."""
        with files.writing(self._path, self._remedy):
            files.flush(self._path)

    def _summarize(self, step: int, values: list[dict[str, Any]]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._add(step=step, summary=Summary(value=[Summary.Value(**value) for value in values]))

    def _add(self, **fields: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        record = io.BytesIO()
        RecordWriter(record).write(Event(wall_time=time.time(), **fields).SerializeToString())
        files.append(self._path, record.getvalue(), self._remedy)

"""Builders for TensorFlow Datasets of the sets that it lacks.

They build and read without TensorFlow, in the form `array_record`:

```python
import tensorflow_datasets as tfds
from structae.data import builders

builder = builders.Mpi3d(config='toy', file_format='array_record')
builder.download_and_prepare(
  download_config=tfds.download.DownloadConfig(manual_dir='where/the/npz/is')
)
source = builder.as_data_source('train[:70%]')
```

Importing this module also lets `tfds.builder('mpi3d/toy')` find them. Records
keep the order of the original files, so that a record's number is the image's
number everywhere in this project.
"""

from structae.data.builders.cars3d import Cars3d
from structae.data.builders.mpi3d import Mpi3d
from structae.data.builders.rfd import Rfd

__all__ = ['Cars3d', 'Mpi3d', 'Rfd']

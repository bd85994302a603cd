"""How fast images arrive: python -m experiments.benchmarks.input.

Input alone, at 64x64x3 in batches of 128: batches are drawn, looked up or
composed or gathered, and left on the device as uint8. And how fast a set of
the size of a real one is prepared from its files.
"""

import dataclasses
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from structae import devices
from structae.commands import parser as arguments
from structae.data import catalog, pipeline, prepare, reading, sources

BATCH = 128
STEPS_PER_DISPATCH = 50


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  parser, number = (
    arguments.Parser('python -m experiments.benchmarks.input', __doc__),
    arguments.at_least,
  )
  parser.add_argument(
    '--images', type=number(1), default=100_000, help='images of the stored set'
  )
  parser.add_argument(
    '--seconds', type=number(1), default=5, help='time for each measurement'
  )
  parser.add_argument(
    '--prepare', type=number(0), default=0,
    help='images of a 3D-Shapes file to prepare (480000: the whole; 0: none)',
  )  # fmt: skip
  parser.add_argument('--dir', type=pathlib.Path, help='where files are made')
  asked = parser.parse_args(argv)
  return arguments.run(lambda: _run(asked))


def _run(asked: Any) -> None:
  """Prints one JSON line for each way of input."""
  with tempfile.TemporaryDirectory(dir=asked.dir) as folder:
    place = pathlib.Path(folder)
    for row in measure(place, asked.images, asked.seconds):
      print(json.dumps(row), flush=True)
    if asked.prepare:
      print(json.dumps(measure_preparing(place, asked.prepare)), flush=True)


def measure(
  place: pathlib.Path, num_images: int, seconds: float
) -> Iterator[dict]:
  """Yields images per second and per second of CPU time for every storage."""
  mesh = devices.data_mesh()
  folder = stored_images(place, num_images)
  ways: dict[str, Callable[[], sources.Source]] = {
    'composed': lambda: sources.load('shapes3d_synth', 64),
    'resident': lambda: sources.prepared(folder, 'resident', mesh),
    'memmap': lambda: sources.prepared(folder, 'memmap', mesh),
  }
  if jax.device_count() > 1:
    ways['sharded'] = lambda: sources.prepared(folder, 'sharded', mesh)
  for name, make in ways.items():
    source = make()
    part = np.arange(source.size, dtype=np.int32)
    batches = pipeline.make_batches(
      source, part, jax.random.key(0), BATCH, mesh
    )
    yield {'input': name} | rate(batches, seconds)
    batches.close()


def rate(batches: pipeline.Batches, seconds: float) -> dict:
  """Draws batch after batch, and leaves the images on the device.

  On accelerators many steps share a dispatch, as in training.
  """
  num_steps = 1 if jax.default_backend() == 'cpu' else STEPS_PER_DISPATCH

  @jax.jit
  def dispatch(data: Any, first: jax.Array) -> jax.Array:
    if num_steps == 1:
      return batches.images(data, first)
    return jax.lax.map(
      lambda step: batches.images(data, step), first + jnp.arange(num_steps)
    )

  step = 0
  jax.block_until_ready(dispatch(batches.data(step, num_steps), step))
  wall, cpu, done = time.perf_counter(), time.process_time(), 0.0
  result = None
  while time.perf_counter() - wall < seconds:
    step += num_steps
    result = dispatch(batches.data(step, num_steps), step)
    done += num_steps * BATCH
  jax.block_until_ready(result)
  wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
  return {
    'images_per_second': round(done / wall),
    'images_per_cpu_second': round(done / cpu),
    'device': jax.devices()[0].device_kind,
  }


def stored_images(place: pathlib.Path, num_images: int) -> pathlib.Path:
  """Prepares random images, and returns their folder."""
  path = place / 'images.npz'
  rng = np.random.default_rng(0)
  images = rng.integers(0, 256, (num_images, 64, 64, 3), np.uint8)
  np.savez(path, images=images)
  return prepare.prepare(
    catalog.CATALOG['folder'], path, root=place / 'prepared'
  )


def measure_preparing(place: pathlib.Path, num_images: int) -> dict:
  """Prepares a file in the layout of 3D-Shapes; the disk sets the bound.

  Its pixels compress about as much as the true ones do (22 to 1).
  """
  import h5py

  path = place / '3dshapes.h5'
  data_set = catalog.CATALOG['shapes3d']
  indices = np.arange(num_images)
  factors = reading.grid_factors(indices, data_set.factor_sizes)
  values = [
    np.arange(len(v)) if isinstance(v[0], str) else np.asarray(v)
    for v in data_set.factors.values()
  ]
  source = sources.load('shapes3d_synth', 64)
  compose: Any = source.images
  with h5py.File(path, 'w') as file:
    images = file.create_dataset(
      'images', (num_images, 64, 64, 3), np.uint8, compression='gzip',
      chunks=(min(num_images, 4096), 8, 8, 1),
    )  # fmt: skip
    for row in range(0, num_images, 4096):
      rows = indices[row : row + 4096]
      images[row : row + 4096] = np.asarray(compose(source.arrays, rows))
    file['labels'] = np.stack([v[f] for v, f in zip(values, factors.T)], 1)
  start, cpu = time.perf_counter(), time.process_time()
  prepare.prepare(
    dataclasses.replace(data_set, num_examples=num_images),
    path, prepare.Options(verify=False), place / 'prepared',
  )  # fmt: skip
  seconds = time.perf_counter() - start
  cpu = time.process_time() - cpu
  block = bytes(1 << 26)
  start = time.perf_counter()
  with open(place / 'disk', 'wb') as file:
    for _ in range(16):
      file.write(block)
    file.flush()
  disk = 16 * len(block) / (time.perf_counter() - start)
  return {
    'input': 'prepare',
    'images_per_second': round(num_images / seconds),
    'images_per_cpu_second': round(num_images / cpu),
    'megabytes_per_second': round(num_images * 12_288 / seconds / 1e6),
    'megabytes_per_second_of_plain_writing': round(disk / 1e6),
    'seconds': round(seconds, 1),
  }


if __name__ == '__main__':
  sys.exit(main())

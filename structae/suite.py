"""All that is to be measured when a GPU is at hand, row by row.

Each row is compiled, timed and let go by itself, so that one that does not fit
costs only itself.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from structae import benchmark, build, devices, markdown, versions
from structae import config as config_lib
from structae.data import sources
from structae.evaluation.images import features, weights

Make = Callable[[Any], benchmark.Program]

_BFLOAT16 = {'model.dtype': 'bfloat16'}
_NUM_RESIDENT = 4096  # images of a set that lies on the device
_NUM_INCEPTION = 64  # images of a batch


def _setup(config: Any, changes: dict[str, Any]) -> benchmark.Setup:
  config = config.copy_and_resolve_references()
  config_lib.update(config, changes)
  return benchmark.Setup(config, build.source(config))


def _update(**changes: Any) -> Make:
  return lambda config: _setup(config, changes).update()


def _hybrids(**changes: Any) -> Make:
  return lambda config: _setup(config, changes).hybrids()


def _large(config: Any) -> benchmark.Program:
  """An update of SAE-16: at 128 pixels, or as small as the scale makes it."""
  large = config_lib.get_config(
    'sae16', '' if config.scale == 'paper' else config.scale
  )
  return _setup(large, config_lib.widths(large) | _BFLOAT16).update()


def _resident(config: Any) -> benchmark.Program:
  """The input alone, where the images themselves lie on the device."""
  shape = (_NUM_RESIDENT, config.data.size, config.data.size, 3)
  images = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
  source = sources.Source(
    'random', shape[1:], len(images), (), (), jnp.asarray(images),
    lambda arrays, i: arrays[i],
    lambda i: np.zeros((len(i), 0), np.int32), 'resident',
  )  # fmt: skip
  return benchmark.Setup(config, source).input()


def _inception(config: Any) -> benchmark.Program:
  """The features of the FID; the weights are random, as speed does not mind."""
  size = config.data.size
  images = jnp.zeros((_NUM_INCEPTION, size, size, 3), jnp.uint8)
  variables = jax.device_put(weights.at_random().variables)
  return benchmark.compiled(
    features.forward(2048), _NUM_INCEPTION, variables, images
  )


# By name: makes the program of a row for a configuration.
ROWS: dict[str, Make] = {
  'update-float32': _update(),
  'update-tf32': _update(**{'model.precision': 'tf32'}),
  'update-bfloat16': _update(**_BFLOAT16, **{'train.steps_per_dispatch': 1}),
  'update-10-a-call': _update(**_BFLOAT16, **{'train.steps_per_dispatch': 10}),
  'update-50-a-call': _update(**_BFLOAT16, **{'train.steps_per_dispatch': 50}),
  'update-sae16': _large,
  'encode': lambda config: _setup(config, {}).encode(),
  'hybrids': _hybrids(),
  'hybrids-bfloat16': _hybrids(**_BFLOAT16),
  'input-composed': lambda config: _setup(config, {}).input(),
  'input-resident': _resident,
  'inception': _inception,
}


def measure(
  config: Any, repeats: int, rows: Sequence[str] = tuple(ROWS)
) -> dict[str, Any]:
  """Measures rows in turn.

  Args:
    config: a checked configuration, of images with three channels.
    repeats: how often each program is called; medians are kept.
    rows: of `ROWS`, by name.

  Returns:
    `device`, `versions`, and by row its figures, or why it `failed`.
  """
  devices.check()
  device = jax.devices()[0]
  return {
    'device': f'{jax.device_count()} x {device.device_kind}',
    'versions': versions.installed(versions.TRAINING),
    'batch_size': config.train.batch_size,
    'rows': {name: _figures(ROWS[name], config, repeats) for name in rows},
  }


def _figures(make: Make, config: Any, repeats: int) -> dict[str, Any]:
  try:
    program = make(config)
  except jax.errors.JaxRuntimeError as error:  # such as too little memory
    return {'failed': str(error).splitlines()[0][:200]}
  seconds = []
  for _ in range(repeats):
    start = time.perf_counter()
    program.run()
    seconds.append(time.perf_counter() - start)
  taken = statistics.median(seconds)
  return {
    'compile_seconds': program.compile_seconds,
    'milliseconds': 1000 * taken,
    'images_per_second': program.images / taken,
    'temporary_megabytes': program.temporary / 1e6,
  }


def as_text(table: dict[str, Any]) -> str:
  """The figures as a table in Markdown."""
  installed = ', '.join(f'{k} {v}' for k, v in table['versions'].items())
  about = f'{table["device"]}, batch {table["batch_size"]} ({installed})'
  head = ('', 'compile s', 'ms a call', 'images/s', 'temporary MB')
  rows = [(name, *_cells(f)) for name, f in table['rows'].items()]
  return f'{about}\n\n{markdown.table(head, rows)}'


def _cells(figures: dict[str, Any]) -> tuple[str, ...]:
  if 'failed' in figures:
    return markdown.text(figures['failed']), '', '', ''
  return (
    f'{figures["compile_seconds"]:.1f}',
    f'{figures["milliseconds"]:.2f}',
    f'{figures["images_per_second"]:,.0f}',
    f'{figures["temporary_megabytes"]:,.0f}',
  )

"""Times a model against the same network in PyTorch, on this machine's CPU.

  python -m experiments.benchmarks.against_torch CONFIG [--compile]
      [--slices=N] [--output=FILE.json] [--config.FIELD=VALUE ...]

CONFIG has a structural decoder, such as sae12:quick. Both have the same
parameters, and their reconstructions of the same images are compared first.
Then slices of an update, of encoding and of decoding take turns; a row has the
medians of both and the median ratio of neighbours, structae's time over
PyTorch's: only that holds on a shared machine. Ours draws its own batch within
the update, PyTorch's is given one. --compile adds `torch.compile`.

Needs PyTorch: pip install 'structae[benchmark]'.
"""

import functools
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from structae import files
from structae.commands import config_flags
from structae.commands.parser import Parser, at_least, check_new, run
from structae.config import ConfigError
from structae.extras import require

SLICE_SECONDS = 0.3
LEARNING_RATE = 1e-4

Runs = dict[str, Callable[[], object]]


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command; returns its exit code."""
  arguments = sys.argv[1:] if argv is None else argv
  return run(lambda: _run(arguments))


def _run(argv: Sequence[str]) -> None:
  parser = Parser('python -m experiments.benchmarks.against_torch', __doc__)
  parser.add_argument('--compile', action='store_true')
  parser.add_argument('--slices', type=at_least(1), default=15, metavar='N')
  parser.add_argument('--output', type=Path, metavar='FILE.json')
  config_flags.add(parser)
  command, asked = config_flags.read(parser, argv)
  if command.config.model.decoder != 'structural':
    raise ConfigError(
      f'model.decoder is {command.config.model.decoder}; the network in '
      'PyTorch has a structural one: take sae12:quick, for example'
    )
  if asked.output:
    check_new(asked.output, ('.json',))
  require('torch', 'benchmark', 'timing PyTorch')
  table = measure(command.config, asked.compile, asked.slices)
  print(as_text(table))
  if asked.output:
    files.write_text(asked.output, json.dumps(table, indent=1) + '\n')


def measure(config: Any, compiled: bool, slices: int) -> dict[str, Any]:
  """Times all programs in turn.

  Args:
    config: a checked configuration with a structural decoder.
    compiled: whether `torch.compile` is timed, too.
    slices: how many of each program.

  Returns:
    Versions, the largest difference of a reconstruction, and the rows.
  """
  import jax
  import torch

  from structae import benchmark, build, devices, trainer

  source = build.source(config)
  module: Any = build.model(config, source.image_shape[-1])
  part = build.split(config, source).train
  ready = trainer.prepare(config, source, part, module, devices.data_mesh())
  params = jax.device_get(ready.state.params)
  num = config.train.batch_size
  images = jax.device_get(source.images(*source.load(part[:num])))
  networks = {'eager': _network(config, params, images.shape[-1])}
  if compiled:
    networks['compile'] = _network(config, params, images.shape[-1])
  logits = jax.jit(module.apply)({'params': params}, images)
  programs = {'structae': _ours(benchmark.prepare(config))}
  batch = torch.from_numpy(images.copy())
  with torch.no_grad():
    theirs = networks['eager'].decode(networks['eager'].encode(batch))
  difference = abs(logits - theirs.permute(0, 2, 3, 1).numpy()).max()
  for name, network in networks.items():
    programs[f'torch {name}'] = _theirs(network, batch, name == 'compile')
  return {
    'jax': jax.__version__,
    'torch': torch.__version__,
    'threads': torch.get_num_threads(),
    'batch_size': num,
    'image_shape': images.shape[1:],
    'parameters': sum(p.numel() for p in networks['eager'].parameters()),
    'difference_of_logits': float(difference),
    'rows': [
      row(task, {name: runs[task] for name, runs in programs.items()}, slices)
      for task in ('update', 'encode', 'decode')
    ],
  }


def _network(config: Any, params: Any, channels: int) -> Any:
  import torch

  from experiments.benchmarks import torch_autoencoder

  network = torch_autoencoder.Autoencoder(config, channels)
  torch_autoencoder.copy_params(network, params)
  return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _ours(programs: dict[str, Any]) -> Runs:
  return {task: program.run for task, program in programs.items()}


def _theirs(network: Any, images: Any, compiled: bool) -> Runs:
  """An update by fused Adam, and both directions without gradients."""
  import torch

  wrap = functools.partial(torch.compile, disable=not compiled)
  loss, encode, decode = map(
    wrap, (network.loss, network.encode, network.decode)
  )
  with torch.inference_mode():
    codes = network.encode(images)
  optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE, fused=True)

  def update() -> None:
    optimizer.zero_grad(set_to_none=True)
    loss(images).backward()
    optimizer.step()

  def without_gradients(function: Callable, given: Any) -> Callable[[], object]:
    def once() -> object:
      with torch.inference_mode():
        return function(given)

    return once

  return {
    'update': update,
    'encode': without_gradients(encode, images),
    'decode': without_gradients(decode, codes),
  }


def row(task: str, programs: Runs, slices: int) -> dict[str, Any]:
  """Times one task of all programs in turn.

  Args:
    task: its name.
    programs: by name; the first is ours.
    slices: how many of each.

  Returns:
    `task`, `milliseconds` of each, and `ratios` of ours to each other.
  """
  repeats = {}
  for name, once in programs.items():
    once()  # compiles
    repeats[name] = max(1, round(SLICE_SECONDS / _seconds(once, 3)))
  taken: dict[str, list[float]] = {name: [] for name in programs}
  for _ in range(slices):
    for name, once in programs.items():
      once()  # wakes its threads
      taken[name].append(_seconds(once, repeats[name]))
  ours, *others = programs
  return {
    'task': task,
    'milliseconds': {
      name: 1000 * statistics.median(times) for name, times in taken.items()
    },
    'ratios': {
      name: statistics.median(a / b for a, b in zip(taken[ours], taken[name]))
      for name in others
    },
  }


def _seconds(once: Callable[[], object], repeats: int) -> float:
  start = time.perf_counter()
  for _ in range(repeats):
    once()
  return (time.perf_counter() - start) / repeats


def as_text(table: dict[str, Any]) -> str:
  """The figures as text."""
  shape = 'x'.join(map(str, table['image_shape']))
  lines = [
    f'jax {table["jax"]}, torch {table["torch"]}, {table["threads"]} threads, '
    f'{table["parameters"]:,} parameters each; batches of '
    f'{table["batch_size"]}, {shape}',
    f'largest difference of a logit: {table["difference_of_logits"]:.1e}',
  ]
  for found in table['rows']:
    times = ', '.join(
      f'{name} {ms:.1f} ms' for name, ms in found['milliseconds'].items()
    )
    ratios = ', '.join(
      f'{ratio:.2f} of {name}' for name, ratio in found['ratios'].items()
    )
    lines.append(f'{found["task"]:7} {times}: {ratios}')
  return '\n'.join(lines)


if __name__ == '__main__':
  sys.exit(main())

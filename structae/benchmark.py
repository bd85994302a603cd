"""Measures what a configuration costs on the devices at hand."""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from structae import build, devices, trainer

MATRIX = 2048  # width of the matrices whose product is timed


class Program(NamedTuple):
  """Something to time.

  Attributes:
    run: does the work once and waits for it.
    images: images that it handles.
    compile_seconds: how long it took to compile.
    flops: floating point operations, as XLA counts them; 0 if not counted.
  """

  run: Callable[[], None]
  images: int
  compile_seconds: float
  flops: float = 0.0


def measure(configs: dict[str, Any], repeats: int) -> dict[str, Any]:
  """Times every program of every config, in turn.

  Args:
    configs: checked configurations by name.
    repeats: how often each program is timed; medians are kept.

  Returns:
    `device`, `matmul_flops_per_second` and, by config, the figures of its
    programs.
  """
  devices.check()
  programs = {name: prepare(config) for name, config in configs.items()}
  names = list(next(iter(programs.values())))
  seconds: dict[tuple[str, str], list[float]] = {}
  matmul = time_matmul()
  rates = []
  for _ in range(repeats):
    rates.append(matmul())
    for program in names:
      for name, made in programs.items():
        start = time.perf_counter()
        made[program].run()
        taken = time.perf_counter() - start
        seconds.setdefault((name, program), []).append(taken)
  peak = statistics.median(rates)
  device = jax.devices()[0]
  return {
    'device': f'{jax.device_count()} x {device.device_kind}',
    'jax': jax.__version__,
    'matmul_flops_per_second': peak,
    'configs': {
      name: {
        p: _figures(made[p], statistics.median(seconds[name, p]), peak)
        for p in names
      }
      for name, made in programs.items()
    },
    'ratios': {
      p: statistics.median(
        a / b for a, b in zip(*(seconds[name, p] for name in programs))
      )
      for p in names
      if len(programs) == 2
    },
  }


def _figures(program: Program, taken: float, peak: float) -> dict[str, float]:
  figures = {
    'compile_seconds': program.compile_seconds,
    'milliseconds': 1000 * taken,
    'images_per_second': program.images / taken,
  }
  if program.flops:
    figures['flops_per_second'] = program.flops / taken
    figures['share_of_matmul'] = program.flops / taken / peak
  return figures


def time_matmul() -> Callable[[], float]:
  """A function that measures floating point operations per second."""
  a = jnp.ones((MATRIX, MATRIX))
  product = jax.jit(lambda x: x @ x)
  jax.block_until_ready(product(a))

  def rate() -> float:
    start = time.perf_counter()
    jax.block_until_ready(product(a))
    return 2 * MATRIX**3 / (time.perf_counter() - start)

  return rate


def prepare(config: Any) -> dict[str, Program]:
  """Compiles an update, the encoder, the decoder and the input alone."""
  mesh = devices.data_mesh()
  source = build.source(config)
  part = build.split(config, source).train
  model: Any = build.model(config, source.image_shape[-1])
  state, updates, batches = trainer.prepare(config, source, part, model, mesh)
  num, size = max(updates), config.train.batch_size
  data = batches.data(0, num)
  batches.close()
  images = jax.jit(batches.images)(data, state.step)
  params = {'params': state.params}
  encode = jax.jit(lambda v, x: model.apply(v, x, method='encode').mean)
  decode = jax.jit(lambda v, u: model.apply(v, u, method='decode'))
  codes = jnp.zeros(jax.eval_shape(encode, params, images).shape)
  programs = {
    'encode': _compiled(encode, size, params, images),
    'decode': _compiled(decode, size, params, codes),
    'input': _compiled(jax.jit(batches.images), size, data, state.step),
  }
  # An update donates its state; the other programs keep theirs.
  own = jax.tree.map(jnp.copy, state)
  return {'update': _update(updates[num], own, data, num * size), **programs}


def _update(update: Any, state: Any, data: Any, images: int) -> Program:
  compiled, seconds, flops = _compile(update, state, data)
  kept = [state]  # each update donates the state before

  def run() -> None:
    kept[0] = jax.block_until_ready(compiled(kept[0], data))

  run()
  return Program(run, images, seconds, flops)


def _compiled(function: Any, images: int, *args: Any) -> Program:
  compiled, seconds, flops = _compile(function, *args)
  run = lambda: jax.block_until_ready(compiled(*args))
  run()
  return Program(run, images, seconds, flops)


def _compile(function: Any, *args: Any) -> tuple[Any, float, float]:
  lowered = function.lower(*args)
  start = time.perf_counter()
  compiled = lowered.compile()
  seconds = time.perf_counter() - start
  # Counted before fusion: the work of the mathematics.
  cost = lowered.cost_analysis() or {}
  return compiled, seconds, float(cost.get('flops', 0.0))


def as_text(table: dict[str, Any]) -> str:
  """The figures as text."""
  lines = [
    f'device: {table["device"]}, jax {table["jax"]}, '
    f'{table["matmul_flops_per_second"] / 1e9:.0f} GFLOP/s in float32 products',
    f'{"":24}{"compile s":>11}{"ms":>11}{"images/s":>13}{"GFLOP/s":>11}'
    f'{"of products":>13}',
  ]
  for name, programs in table['configs'].items():
    lines.append(name)
    for program, f in programs.items():
      flops = f.get('flops_per_second', 0) / 1e9
      lines.append(
        f'  {program:22}{f["compile_seconds"]:11.1f}{f["milliseconds"]:11.2f}'
        f'{f["images_per_second"]:13,.0f}{flops:11.1f}'
        f'{f.get("share_of_matmul", 0):13.0%}'
      )
  for program, ratio in table['ratios'].items():
    lines.append(f'time of this / the other, {program}: {ratio:.3f}')
  return '\n'.join(lines)

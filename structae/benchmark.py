"""Measures what a configuration costs on the devices at hand."""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from structae import build, devices, sampling, trainer
from structae.data import sources

MATRIX = 2048  # width of the matrices whose product is timed


class Program(NamedTuple):
  """Something to time.

  Attributes:
    run: does the work once and waits for it.
    images: images that it handles.
    compile_seconds: how long it took to compile.
    flops: floating point operations, as XLA counts them; 0 if not counted.
    temporary: bytes of memory beside its arguments and results.
  """

  run: Callable[[], None]
  images: int
  compile_seconds: float
  flops: float = 0.0
  temporary: int = 0


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
  made = Setup(config, build.source(config))
  return {
    'update': made.update(),
    'encode': made.encode(),
    'decode': made.decode(),
    'input': made.input(),
  }


class Setup:
  """What the programs of a configuration need; each is compiled when asked for.

  Attributes:
    size: the number of images of a batch.
    codes: `[B, K, D]`, zeros, as the decoder takes them.
  """

  def __init__(self, config: Any, source: sources.Source):
    """Makes the start of a run.

    Args:
      config: a checked configuration.
      source: the images.
    """
    mesh = devices.data_mesh()
    part = build.split(config, source).train
    model: Any = build.model(config, source.image_shape[-1])
    ready = trainer.prepare(config, source, part, model, mesh)
    self._state, self._updates, self._batches = ready
    self._num, self.size = max(self._updates), config.train.batch_size
    self._data = self._batches.data(0, self._num)
    self._batches.close()
    self._params = {'params': self._state.params}
    self._encode = lambda v, x: model.apply(v, x, method='encode').mean
    self._decode = lambda v, u: model.apply(v, u, method='decode')
    images = jax.eval_shape(self._batches.images, self._data, self._state.step)
    found = jax.eval_shape(self._encode, self._params, images)
    self.codes = jnp.zeros(found.shape)

  def update(self) -> Program:
    """One call of the update, which may make several."""
    state = jax.tree.map(jnp.copy, self._state)  # an update donates its state
    update, images = self._updates[self._num], self._num * self.size
    return _update(update, state, self._data, images)

  def encode(self) -> Program:
    """A batch of images to codes."""
    images = jax.jit(self._batches.images)(self._data, self._state.step)
    return compiled(jax.jit(self._encode), self.size, self._params, images)

  def decode(self) -> Program:
    """A batch of codes to images."""
    decode = jax.jit(self._decode)
    return compiled(decode, self.size, self._params, self.codes)

  def hybrids(self) -> Program:
    """A batch of hybrid codes, drawn and decoded."""

    def draw(variables: Any, key: jax.Array, codes: jax.Array) -> jax.Array:
      return self._decode(variables, sampling.hybrid(key, codes, self.size))

    key = jax.random.key(0)
    return compiled(jax.jit(draw), self.size, self._params, key, self.codes)

  def input(self) -> Program:
    """A batch of images, drawn and made."""
    images = jax.jit(self._batches.images)
    return compiled(images, self.size, self._data, self._state.step)


def _update(update: Any, state: Any, data: Any, images: int) -> Program:
  program, figures = _compile(update, state, data)
  kept = [state]  # each update donates the state before

  def run() -> None:
    kept[0] = jax.block_until_ready(program(kept[0], data))

  run()
  return Program(run, images, **figures)


def compiled(function: Any, images: int, *args: Any) -> Program:
  """A jitted function of arrays as a program of so many images."""
  program, figures = _compile(function, *args)
  run = lambda: jax.block_until_ready(program(*args))
  run()
  return Program(run, images, **figures)


def _compile(function: Any, *args: Any) -> tuple[Any, dict[str, Any]]:
  """A compiled function, and what is known of it without running it."""
  lowered = function.lower(*args)
  start = time.perf_counter()
  compiled = lowered.compile()
  seconds = time.perf_counter() - start
  # Counted before fusion: the work of the mathematics.
  cost = lowered.cost_analysis() or {}
  memory = compiled.memory_analysis()
  temporary = memory.temp_size_in_bytes if memory else 0
  return compiled, {
    'compile_seconds': seconds,
    'flops': float(cost.get('flops', 0.0)),
    'temporary': temporary,
  }


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

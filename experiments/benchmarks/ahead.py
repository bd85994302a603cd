"""Compiles the update of a model for an H100, without one, and counts it.

  JAX_PLATFORMS=cpu python -m experiments.benchmarks.ahead sae12 \\
      --config.model.dtype=bfloat16 [--output=FILE.json]

It takes Python 3.12 or later, `pip install 'structae[cuda13]'` and a `ptxas` of
CUDA 13 on the PATH: some 4.5 GB. Without a device there is no choice among
algorithms by timing, so convolutions are those of a heuristic, and nothing is
said of seconds. The same answer comes every time, on any machine.

Launches are kernels and calls of libraries; bytes are those of their operands
and results, as if nothing stayed in a cache. What is printed beside them, the
least, counts by hand what a program of perfect fusions would move, with M(s)
the bytes of a map of s x s pixels of the batch, and convolutions that read and
write whole maps:

  a block of one size         14 M(s): forward, convolution 2, statistics 1,
                              norm and activation 2; backward, sums 2, their
                              gradient 3, the convolution's gradients 2 and 2
  a block that pools to s/2   9 M(s) + 10 M(s/2): the same, its norm on the
                              small map; pooling reads one and writes the other,
                              and on the way back reads both, writes the large
  the first block             2 M(s) less, since an image needs no gradient
  upsampling from s to 2s     2 M(s) + 2 M(2s)
  the output from s to 2s     4 M(s), 8 times the logits, and 6 times the
                              products of the taps, 27 a pixel of the small map
  Adam                        8 times the parameters, in float32

For SAE-12 at 64 pixels, batch 128, in bfloat16: encoder 1.38 GB, decoder
.86 GB, Adam .04 GB.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.benchmarks import launches
from structae import files
from structae.commands import config_flags
from structae.commands.parser import Parser, check_new, run
from structae.config import ConfigError

SMALL = 3e6  # bytes: a launch below costs more than what it moves

# What XLA asks of the device to compile for; see its `GpuTargetConfigProto`.
H100 = """
gpu_device_info {
  cuda_compute_capability { major: 9 }
  core_count: 132
  fpus_per_core: 128
  clock_rate_ghz: 1.98
  memory_bandwidth: 3352320000000
  device_memory_size: 84978434048
  l2_cache_size: 52428800
  threads_per_warp: 32
  threads_per_block_limit: 1024
  threads_per_core_limit: 2048
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  shared_memory_per_block: 49152
  shared_memory_per_block_optin: 232448
  shared_memory_per_core: 233472
  registers_per_block_limit: 65536
  registers_per_core_limit: 65536
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 8 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""


def compiled(config: Any) -> tuple[Any, int]:
  """The update of a config, compiled for one H100, and its parameters' number.

  Args:
    config: a checked configuration.

  Raises:
    ConfigError: if jax cannot compile for CUDA here.
  """
  import jax
  from jax.experimental import topologies
  from jax.sharding import AxisType, Mesh, NamedSharding
  from jax.sharding import PartitionSpec as P

  from structae import build, devices, keys
  from structae.training import step

  try:
    topology = topologies.get_topology_desc(
      '', 'cuda', topology='1x1x1', target_config=H100
    )
  except (RuntimeError, ValueError, NotImplementedError) as error:
    raise ConfigError(
      f'jax cannot compile for CUDA here ({error!s:.200}); see --help'
    ) from error
  mesh = Mesh(topology.devices, ('data',), axis_types=(AxisType.Auto,))
  shape = (config.data.size, config.data.size, 3)
  module = build.model(config, shape[-1])
  loss, optimizer = build.loss(config, module, 10**5), build.optimizer(config)
  own = keys.of_seed(config.seed)
  batch = (build.images_per_update(config), *shape)
  images = jax.ShapeDtypeStruct(batch, 'uint8')
  params = build.init(config, module, own.init, shape)
  state = step.init_state(params, optimizer, loss, images, devices.data_mesh())
  update = step.make_step(
    loss, optimizer, lambda images, now: images, own.noise, mesh
  )
  whole = NamedSharding(mesh, P())
  there = lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=whole)
  traced: Any = update
  traced = traced.trace(*jax.tree.map(there, (state, images)))
  program = traced.lower(lowering_platforms=('cuda',)).compile()
  return program, sum(x.size for x in jax.tree.leaves(params))


def least(config: Any, num_parameters: int) -> float:
  """The bytes that an update must move; see the top of this file."""
  from structae.models import decoders, encoders

  model, size = config.model, config.data.size
  item = 2 if model.dtype == 'bfloat16' else 4
  pixel = config.train.batch_size * item
  area = lambda s: pixel * model.width * s * s
  pools = encoders.pool_after(size, model.num_blocks)
  ups = decoders.upsample_before(size, model.num_blocks)
  total, s = -2 * area(size), size
  for i in range(1, model.num_blocks + 1):
    total += 9 * area(s) + 10 * area(s // 2) if i in pools else 14 * area(s)
    s = s // 2 if i in pools else s
  for i in range(1, model.num_blocks):
    total += 2 * area(s) + 2 * area(2 * s) if i in ups else 0
    s = 2 * s if i in ups else s
    total += 14 * area(s)
  total += 4 * area(s) + 6 * 27 * pixel * s * s + 8 * 3 * pixel * size * size
  return total + 8 * 4 * num_parameters


def figures(config: Any) -> dict[str, Any]:
  """What the update of a checked configuration would do on an H100."""
  program, num = compiled(config)
  found = [*launches.of(program.as_text())]
  memory = program.memory_analysis()
  gigabytes: dict[str, float] = {}
  for launch in found:
    total = gigabytes.get(launch.kind, 0) + launch.num_bytes / 1e9
    gigabytes[launch.kind] = total
  return {
    'parameters': num,
    'launches': len(found),
    'small_launches': sum(x.num_bytes < SMALL for x in found),
    'gigabytes': gigabytes,
    'all_gigabytes': sum(gigabytes.values()),
    'least_gigabytes': least(config, num) / 1e9,
    'temporary_megabytes': memory.temp_size_in_bytes / 1e6,
  }


def as_text(table: dict[str, Any]) -> str:
  """The figures as text."""
  ratio = table['all_gigabytes'] / table['least_gigabytes']
  parts = ', '.join(f'{k} {v:.2f}' for k, v in table['gigabytes'].items())
  return (
    f'{table["parameters"]:,} parameters, compiled for an H100\n'
    f'launches: {table["launches"]}, of which {table["small_launches"]} move '
    f'less than {SMALL / 1e6:.0f} MB\n'
    f'GB moved: {table["all_gigabytes"]:.2f} ({parts})\n'
    f'GB at least: {table["least_gigabytes"]:.2f}; ratio {ratio:.2f}\n'
    f'temporary memory: {table["temporary_megabytes"]:.0f} MB'
  )


def main(argv: Sequence[str] | None = None) -> int:
  return run(lambda: _main(sys.argv[1:] if argv is None else argv))


def _main(argv: Sequence[str]) -> None:
  parser = Parser('python -m experiments.benchmarks.ahead', __doc__)
  parser.add_argument('--output', type=Path, metavar='FILE.json')
  config_flags.add(parser)
  command, asked = config_flags.read(parser, argv)
  if asked.output:
    check_new(asked.output, ('.json',))
  # Before jax is imported: it would look for the device.
  os.environ |= {'JAX_PLATFORMS': 'cpu', 'JAX_SKIP_CUDA_CONSTRAINTS_CHECK': '1'}
  table = figures(command.config)
  print(as_text(table))
  if asked.output:
    files.write_text(asked.output, json.dumps(table, indent=1) + '\n')


if __name__ == '__main__':
  sys.exit(main())

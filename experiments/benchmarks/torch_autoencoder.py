"""A structural autoencoder in PyTorch, which structae is timed against.

Written as one would for speed there: channels last, the Str-Tfm networks of
all variables as one batched product, in-place-free operations that
`torch.compile` takes. Only `experiments.benchmarks.against_torch` imports it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from structae import config as config_lib
from structae.models import decoders, encoders


class Block(nn.Module):
  """Convolution, pooling if any, group norm, Mish."""

  def __init__(
    self, inputs: int, outputs: int, kernel: int, groups: int, pool: bool
  ) -> None:
    super().__init__()
    self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    self.norm = nn.GroupNorm(groups, outputs, eps=1e-5)
    self.pool = pool

  def forward(self, x: Tensor) -> Tensor:
    """Maps `[B, C, H, W]` to the block's output."""
    x = self.conv(x)
    return F.mish(self.norm(F.max_pool2d(x, 2) if self.pool else x))


class Autoencoder(nn.Module):
  """The autoencoder of a configuration with a structural decoder."""

  def __init__(self, config: Any, channels: int) -> None:
    super().__init__()
    model, widths = config.model, config_lib.widths(config)
    n, width, size = model.num_blocks, model.width, config.data.size
    block = lambda inputs, kernel, pool: Block(
      inputs, width, kernel, model.num_groups, pool
    )
    pools = encoders.pool_after(size, n)
    self.encoder = nn.ModuleList(
      block(width if i else channels, 3 if i else 5, i + 1 in pools)
      for i in range(n)
    )
    head = [4 * width, *widths['model.head'], model.num_latents]
    self.head = nn.ModuleList(nn.Linear(*pair) for pair in _pairs(head))
    self.variables = model.num_variables
    self.start = nn.Parameter(torch.randn(width, 2, 2))
    dim = model.num_latents // self.variables
    str_tfm = [dim, *widths['model.str_tfm'], 2 * width]
    self.kernels = nn.ParameterList(
      torch.zeros(self.variables, *pair) for pair in _pairs(str_tfm)
    )
    self.biases = nn.ParameterList(
      torch.zeros(self.variables, 1, b) for _, b in _pairs(str_tfm)
    )
    self.decoder = nn.ModuleList(block(width, 3, False) for _ in range(n - 1))
    self.out = nn.Conv2d(width, channels, 3, padding=1)
    self.ups = decoders.upsample_before(size, n)
    self.starts = decoders.stage_starts(
      n, model.num_stages or self.variables, tuple(model.stage_blocks)
    )

  def encode(self, images: Tensor) -> Tensor:
    """Maps uint8 images `[B, H, W, C]` to codes `[B, K, D]`."""
    x = images.permute(0, 3, 1, 2).float() / 255  # channels last as it stands
    for block in self.encoder:
      x = block(x)
    x = x.permute(0, 2, 3, 1).flatten(1)
    for layer in self.head[:-1]:
      x = F.mish(layer(x))
    return self.head[-1](x).unflatten(1, (self.variables, -1))

  def decode(self, codes: Tensor) -> Tensor:
    """Maps codes `[B, K, D]` to logits `[B, C, H, W]`."""
    u = codes.transpose(0, 1)
    for i, (kernel, bias) in enumerate(zip(self.kernels, self.biases)):
      u = torch.baddbmm(bias, F.mish(u) if i else u, kernel)
    beta, logit = u[..., None, None].chunk(2, 2)
    alpha = logit.exp()
    x = self.start.expand(len(codes), -1, -1, -1)
    x = x.contiguous(memory_format=torch.channels_last)
    last = len(self.decoder)
    for i, block in enumerate([*self.decoder, self.out]):
      if i + 1 in self.starts:
        stage = self.starts.index(i + 1)
        x = torch.addcmul(beta[stage], alpha[stage], x)
      if i + 1 in self.ups:
        x = F.interpolate(x, scale_factor=2, mode='bilinear')
      x = block(x)
    assert last == i
    return x

  def loss(self, images: Tensor) -> Tensor:
    """The Bernoulli cross entropy in nats per image."""
    logits = self.decode(self.encode(images))
    targets = images.permute(0, 3, 1, 2).float() / 255
    total = F.binary_cross_entropy_with_logits(
      logits, targets.clamp(1e-7, 1 - 1e-7), reduction='sum'
    )
    return total / len(images)


def _pairs(widths: Sequence[int]) -> list[tuple[int, int]]:
  return list(zip(widths, widths[1:]))


def copy_params(network: Autoencoder, params: Any) -> None:
  """Gives a network the parameters of structae's model.

  Args:
    network: of the same configuration.
    params: `encoder` and `decoder`.

  Raises:
    ValueError: if the numbers of parameters differ.
  """
  arrays = [np.asarray(a) for a in _in_torch_s_order(params)]
  own = list(network.parameters())
  if [a.shape for a in arrays] != [tuple(p.shape) for p in own]:
    sizes = sum(a.size for a in arrays), sum(p.numel() for p in own)
    raise ValueError(
      f'structae has {sizes[0]:,} parameters, PyTorch {sizes[1]:,}'
    )
  with torch.no_grad():
    for parameter, array in zip(own, arrays):
      parameter.copy_(torch.from_numpy(array.copy()))


def _in_torch_s_order(params: Any) -> Iterator[Any]:
  encoder, decoder = params['encoder'], params['decoder']
  yield decoder['start'].transpose(2, 0, 1)
  for block in _numbered(encoder['trunk'], 'block'):
    yield from _block(block)
  for layer in [*_numbered(encoder['head'], 'hidden'), encoder['head']['out']]:
    yield from (layer['kernel'].T, layer['bias'])
  networks = decoder['str_tfm_networks']['networks']
  layers = [*_numbered(networks, 'hidden'), networks['out']]
  yield from (layer['kernel'] for layer in layers)
  yield from (layer['bias'][:, None] for layer in layers)
  for run in _numbered(decoder, 'run'):
    of_run = run['block']
    for i in range(len(of_run['conv']['bias'])):
      yield from _block(
        {k: {n: a[i] for n, a in of_run[k].items()} for k in of_run}
      )
  yield from _conv(decoder['out'])


def _numbered(params: Any, name: str) -> list[Any]:
  """Those called `name_NUMBER`, in order."""
  numbers = [int(k.split('_')[-1]) for k in params if k.startswith(f'{name}_')]
  return [params[f'{name}_{i}'] for i in sorted(numbers)]


def _block(params: Any) -> Iterator[Any]:
  yield from _conv(params['conv'])
  yield from (params['norm']['scale'], params['norm']['bias'])


def _conv(params: Any) -> tuple[Any, Any]:
  return params['kernel'].transpose(3, 2, 0, 1), params['bias']

"""An autoencoder in PyTorch, from the files beside this one; nothing else.

    encoder, decoder = structae_model.load('DIR')
    codes = encoder(images)  # [B, K, D] from [B, H, W, C], floats in [0, 1]
    images = decoder(codes)  # and back

`layers.json` lists the layers, `model.safetensors` holds their weights. Both
are modules like any other, to be trained on or taken apart.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F


def load(folder: str | Path) -> tuple['Encoder', 'Decoder']:
  """The encoder and the decoder in a folder."""
  plans = json.loads((Path(folder) / 'layers.json').read_text('utf-8'))
  encoder, decoder = Encoder(plans['encoder']), Decoder(plans['decoder'])
  weights = load_file(Path(folder) / 'model.safetensors')
  nn.ModuleDict({'encoder': encoder, 'decoder': decoder}).load_state_dict(
    weights
  )
  return encoder, decoder


class Encoder(nn.Module):
  """Maps images `[B, H, W, C]` to codes `[B, K, D]`."""

  def __init__(self, plan: dict) -> None:
    """Makes the layers of a plan."""
    super().__init__()
    self.plan = plan
    activation = ACTIVATIONS[plan['activation']]
    self.blocks = nn.ModuleList(Block(b, activation) for b in plan['blocks'])
    self.heads = nn.ModuleList(
      dense(head['layers'], activation) for head in plan['heads']
    )

  def forward(self, images: Tensor) -> Tensor:
    """Encodes images, or feature vectors `[B, X]`."""
    x = images[:, None, None] if images.ndim == 2 else images
    maps = [x.permute(0, 3, 1, 2)]
    for block in self.blocks:
      maps.append(block(maps[-1]))
    codes = []
    for head, network in zip(self.plan['heads'], self.heads):
      x = maps[head['block']]
      if head['reads'] == 'largest':
        x = x.amax((2, 3))
      else:
        x = x.permute(0, 2, 3, 1).flatten(1)
      codes.append(network(x))
    return torch.cat(codes, 1).unflatten(1, self.plan['code'])


class Decoder(nn.Module):
  """Maps codes `[B, K, D]` to images: S_i = f_i(S_{i-1}, U_i)."""

  def __init__(self, plan: dict) -> None:
    """Makes the layers of a plan."""
    super().__init__()
    self.plan = plan
    activation = ACTIVATIONS[plan['activation']]
    start = plan['start']
    shape = start['channels'], start['side'], start['side']
    if start['layers']:
      self.first = dense(start['layers'], activation)
    else:
      self.start = nn.Parameter(torch.zeros(shape))
    self.blocks = nn.ModuleList(Block(b, activation) for b in plan['blocks'])
    self.networks = nn.ModuleDict(
      {
        str(i): dense(block['layers'], activation)
        for i, block in enumerate(plan['blocks'])
        if block['condition']
      }
    )

  def forward(self, codes: Tensor) -> Tensor:
    """Decodes to `[B, H, W, C]` in [0, 1]; feature vectors `[B, X]`."""
    numbers = codes.flatten(1)
    x = self._start(numbers)
    for i, (layer, block) in enumerate(zip(self.plan['blocks'], self.blocks)):
      if layer['condition']:
        inputs = self.networks[str(i)](numbers[:, layer['reads']])
        x = CONDITIONS[layer['condition']](x, inputs[..., None, None])
      if layer['up'] == 'bilinear':
        x = F.interpolate(x, scale_factor=2, mode='bilinear')
      elif layer['up'] == 'zeros':
        x = behind_every_pixel_a_zero(x)
      x = block(x)
    if self.plan['mean'] == 'sigmoid':
      x = x.sigmoid()
    if len(self.plan['image']) == 1:
      return x.flatten(1)
    return x.clamp(0, 1).permute(0, 2, 3, 1)

  def _start(self, numbers: Tensor) -> Tensor:
    start = self.plan['start']
    if not start['layers']:
      return self.start.expand(len(numbers), -1, -1, -1)
    side = start['side']
    x = self.first(numbers[:, start['reads']])
    return x.unflatten(1, (side, side, -1)).permute(0, 3, 1, 2)


class Block(nn.Module):
  """Convolution, pooling if any, group norm, activation."""

  def __init__(self, layer: dict, activation: type[nn.Module]) -> None:
    """Makes the layers; the last block of a decoder has no norm."""
    super().__init__()
    stride = 2 if layer.get('down') == 'stride' else 1
    inputs, outputs, kernel = (
      layer[name] for name in ('inputs', 'outputs', 'kernel')
    )
    self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
    self.pools = layer.get('down') == 'largest'
    self.norm = None
    if layer['groups']:
      self.norm = nn.GroupNorm(layer['groups'], outputs)
      self.activation = activation()

  def forward(self, x: Tensor) -> Tensor:
    """Maps `[B, C, H, W]` to the output of the block."""
    x = self.conv(x)
    if self.pools:
      x = F.max_pool2d(x, 2)
    return x if self.norm is None else self.activation(self.norm(x))


def dense(
  layers: list[tuple[int, int]], activation: type[nn.Module]
) -> nn.Sequential:
  """Dense layers with activations between them."""
  made: list[nn.Module] = []
  for sizes in layers:
    made += [nn.Linear(*sizes), activation()]
  return nn.Sequential(*made[:-1])


def affine(x: Tensor, numbers: Tensor) -> Tensor:
  """S <- alpha S + beta, the same for every pixel; alpha = exp(logit)."""
  beta, logit = numbers.chunk(2, 1)
  return logit.exp() * x + beta


def join(x: Tensor, features: Tensor) -> Tensor:
  """The same features beside the channels of every pixel."""
  return torch.cat([x, features.expand(-1, -1, *x.shape[2:])], 1)


def behind_every_pixel_a_zero(x: Tensor) -> Tensor:
  """Twice as large: of transposed convolutions."""
  rows = torch.stack([x, torch.zeros_like(x)], -1).flatten(-2)
  return torch.stack([rows, torch.zeros_like(rows)], -2).flatten(2, 3)


ACTIVATIONS = {'mish': nn.Mish, 'elu': nn.ELU}
CONDITIONS = {'affine': affine, 'join': join}

"""The FID InceptionV3 in PyTorch, which the Flax port is compared with.

Structure and names follow https://github.com/mseitzer/pytorch-fid.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def mean_pool(x: Tensor) -> Tensor:
  """3x3 means over the pixels inside the map alone."""
  return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class Conv(nn.Module):
  """Convolution, batch norm, ReLU."""

  def __init__(
    self,
    inputs: int,
    outputs: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
  ) -> None:
    super().__init__()
    self.conv = nn.Conv2d(
      inputs, outputs, kernel, stride=stride, padding=padding, bias=False
    )
    self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

  def forward(self, x: Tensor) -> Tensor:
    """Maps `[B, C, H, W]` to the block's output."""
    return F.relu(self.bn(self.conv(x)))


class A(nn.Module):
  """35x35: 1x1, 5x5, two 3x3, average pool."""

  def __init__(self, inputs: int, pool: int) -> None:
    super().__init__()
    self.branch1x1 = Conv(inputs, 64, 1)
    self.branch5x5_1 = Conv(inputs, 48, 1)
    self.branch5x5_2 = Conv(48, 64, 5, padding=2)
    self.branch3x3dbl_1 = Conv(inputs, 64, 1)
    self.branch3x3dbl_2 = Conv(64, 96, 3, padding=1)
    self.branch3x3dbl_3 = Conv(96, 96, 3, padding=1)
    self.branch_pool = Conv(inputs, pool, 1)

  def forward(self, x: Tensor) -> Tensor:
    """Maps `[B, C, H, W]` to the block's output."""
    double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
    return torch.cat(
      [
        self.branch1x1(x),
        self.branch5x5_2(self.branch5x5_1(x)),
        self.branch3x3dbl_3(double),
        self.branch_pool(mean_pool(x)),
      ],
      1,
    )


class B(nn.Module):
  """35x35 to 17x17."""

  def __init__(self, inputs: int) -> None:
    super().__init__()
    self.branch3x3 = Conv(inputs, 384, 3, stride=2)
    self.branch3x3dbl_1 = Conv(inputs, 64, 1)
    self.branch3x3dbl_2 = Conv(64, 96, 3, padding=1)
    self.branch3x3dbl_3 = Conv(96, 96, 3, stride=2)

  def forward(self, x: Tensor) -> Tensor:
    """Maps `[B, C, H, W]` to the block's output."""
    double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
    return torch.cat(
      [
        self.branch3x3(x),
        self.branch3x3dbl_3(double),
        F.max_pool2d(x, 3, stride=2),
      ],
      1,
    )


class C(nn.Module):
  """17x17: 7x7 convolutions as 1x7 and 7x1."""

  def __init__(self, inputs: int, c: int) -> None:
    super().__init__()
    row: Any = {'kernel': (1, 7), 'padding': (0, 3)}
    column: Any = {'kernel': (7, 1), 'padding': (3, 0)}
    self.branch1x1 = Conv(inputs, 192, 1)
    self.branch7x7_1 = Conv(inputs, c, 1)
    self.branch7x7_2 = Conv(c, c, **row)
    self.branch7x7_3 = Conv(c, 192, **column)
    self.branch7x7dbl_1 = Conv(inputs, c, 1)
    self.branch7x7dbl_2 = Conv(c, c, **column)
    self.branch7x7dbl_3 = Conv(c, c, **row)
    self.branch7x7dbl_4 = Conv(c, c, **column)
    self.branch7x7dbl_5 = Conv(c, 192, **row)
    self.branch_pool = Conv(inputs, 192, 1)

  def forward(self, x: Tensor) -> Tensor:
    """Maps `[B, C, H, W]` to the block's output."""
    single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
    double = self.branch7x7dbl_2(self.branch7x7dbl_1(x))
    double = self.branch7x7dbl_4(self.branch7x7dbl_3(double))
    pool = self.branch_pool(mean_pool(x))
    return torch.cat(
      [self.branch1x1(x), single, self.branch7x7dbl_5(double), pool], 1
    )


class D(nn.Module):
  """17x17 to 8x8."""

  def __init__(self, inputs: int) -> None:
    super().__init__()
    self.branch3x3_1 = Conv(inputs, 192, 1)
    self.branch3x3_2 = Conv(192, 320, 3, stride=2)
    self.branch7x7x3_1 = Conv(inputs, 192, 1)
    self.branch7x7x3_2 = Conv(192, 192, (1, 7), padding=(0, 3))
    self.branch7x7x3_3 = Conv(192, 192, (7, 1), padding=(3, 0))
    self.branch7x7x3_4 = Conv(192, 192, 3, stride=2)

  def forward(self, x: Tensor) -> Tensor:
    """Maps `[B, C, H, W]` to the block's output."""
    seven = self.branch7x7x3_2(self.branch7x7x3_1(x))
    return torch.cat(
      [
        self.branch3x3_2(self.branch3x3_1(x)),
        self.branch7x7x3_4(self.branch7x7x3_3(seven)),
        F.max_pool2d(x, 3, stride=2),
      ],
      1,
    )


class E(nn.Module):
  """8x8: expanded 3x3 convolutions, and a pool."""

  def __init__(self, inputs: int, pool: Callable[[Tensor], Tensor]) -> None:
    super().__init__()
    self.pool = pool
    self.branch1x1 = Conv(inputs, 320, 1)
    self.branch3x3_1 = Conv(inputs, 384, 1)
    self.branch3x3_2a = Conv(384, 384, (1, 3), padding=(0, 1))
    self.branch3x3_2b = Conv(384, 384, (3, 1), padding=(1, 0))
    self.branch3x3dbl_1 = Conv(inputs, 448, 1)
    self.branch3x3dbl_2 = Conv(448, 384, 3, padding=1)
    self.branch3x3dbl_3a = Conv(384, 384, (1, 3), padding=(0, 1))
    self.branch3x3dbl_3b = Conv(384, 384, (3, 1), padding=(1, 0))
    self.branch_pool = Conv(inputs, 192, 1)

  def forward(self, x: Tensor) -> Tensor:
    """Maps `[B, C, H, W]` to the block's output."""
    three = self.branch3x3_1(x)
    double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
    return torch.cat(
      [
        self.branch1x1(x),
        self.branch3x3_2a(three),
        self.branch3x3_2b(three),
        self.branch3x3dbl_3a(double),
        self.branch3x3dbl_3b(double),
        self.branch_pool(self.pool(x)),
      ],
      1,
    )


class Inception(nn.Module):
  """Returns every top-level block's output by name, then the logits."""

  def __init__(self) -> None:
    super().__init__()
    self.Conv2d_1a_3x3 = Conv(3, 32, 3, stride=2)
    self.Conv2d_2a_3x3 = Conv(32, 32, 3)
    self.Conv2d_2b_3x3 = Conv(32, 64, 3, padding=1)
    self.Conv2d_3b_1x1 = Conv(64, 80, 1)
    self.Conv2d_4a_3x3 = Conv(80, 192, 3)
    self.Mixed_5b = A(192, 32)
    self.Mixed_5c = A(256, 64)
    self.Mixed_5d = A(288, 64)
    self.Mixed_6a = B(288)
    self.Mixed_6b = C(768, 128)
    self.Mixed_6c = C(768, 160)
    self.Mixed_6d = C(768, 160)
    self.Mixed_6e = C(768, 192)
    self.Mixed_7a = D(768)
    self.Mixed_7b = E(1280, mean_pool)
    self.Mixed_7c = E(2048, lambda x: F.max_pool2d(x, 3, stride=1, padding=1))
    self.fc = nn.Linear(2048, 1008)

  def forward(self, images: Tensor) -> dict[str, Tensor]:
    """Takes `[B, 3, H, W]` uint8."""
    x = F.interpolate(
      images.float() / 255, (299, 299), mode='bilinear', align_corners=False
    )
    x = 2 * x - 1
    outputs = {'input': x}
    for name, block in self.named_children():
      if name == 'fc':
        x = x.mean((2, 3))
        outputs['features'] = x
      x = block(x)
      outputs[name] = x
      if name in ('Conv2d_2b_3x3', 'Conv2d_4a_3x3'):
        x = F.max_pool2d(x, 3, stride=2)
    return outputs

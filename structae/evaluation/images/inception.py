"""The InceptionV3 of the Frechet Inception Distance.

It is the network of the 2015 TensorFlow graph, not the one most libraries
ship: its average pools leave the padding out of the mean, its last block
pools by the maximum, and its classifier has 1008 outputs. Submodules carry
the names of the published PyTorch port, so that its weights map one to one.

Sources: Szegedy et al., https://arxiv.org/abs/1512.00567; Heusel et al.,
https://arxiv.org/abs/1706.08500; https://github.com/mseitzer/pytorch-fid.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

IMAGE_SIZE = 299
NUM_CLASSES = 1008
# The dimensions at which features leave the network.
FEATURE_DIMS = (64, 192, 768, 2048)
_EPSILON = 1e-3  # of the batch norms


def preprocess(images: jax.Array) -> jax.Array:
  """Turns images of any size into the network's input.

  Args:
    images: `[B, H, W, C]` uint8 with `C` 3 (RGB) or 1 (grey).

  Returns:
    `[B, 299, 299, 3]` float32 in [-1, 1], resized bilinearly with half-pixel
    centers and without antialiasing, grey copied to the three channels.

  Raises:
    ValueError: if the images have another type or shape.
  """
  if images.ndim != 4 or images.shape[-1] not in (1, 3):
    raise ValueError(f'images must be [B, H, W, 1 or 3], got {images.shape}.')
  if images.dtype != jnp.uint8:
    raise ValueError(
      f'images must be uint8 in 0..255, got {images.dtype}; clip, round and '
      'cast them first.'
    )
  size = (images.shape[0], IMAGE_SIZE, IMAGE_SIZE, images.shape[-1])
  unit = images.astype(jnp.float32) / 255.0
  resized = jax.image.resize(unit, size, 'bilinear', antialias=False)
  return jnp.broadcast_to(2.0 * resized - 1.0, (*size[:3], 3))


def average_pool(x: jax.Array) -> jax.Array:
  """3x3 means at stride 1, over the pixels inside the map alone."""
  around = [(0, 0), (1, 1), (1, 1), (0, 0)]
  total = lambda a: _by_threes(jnp.pad(a, around), jnp.add, 1)
  return total(x) / total(jnp.ones((1, *x.shape[1:3], 1), x.dtype))


def max_pool(x: jax.Array, stride: int, padding: int = 0) -> jax.Array:
  """3x3 maxima."""
  around = [(0, 0), (padding, padding), (padding, padding), (0, 0)]
  x = jnp.pad(x, around, constant_values=-jnp.inf)
  return _by_threes(x, jnp.maximum, stride)


def _by_threes(
  x: jax.Array,
  combine: Callable[[jax.Array, jax.Array], jax.Array],
  stride: int,
) -> jax.Array:
  """Combines windows of 3x3, one axis after the other.

  XLA's own windows are many times slower on CPUs.
  """
  for axis in (1, 2):
    end = x.shape[axis] - 2  # of where windows begin
    first, second, third = (
      lax.slice_in_dim(x, i, end + i, stride, axis) for i in range(3)
    )
    x = combine(combine(first, second), third)
  return x


class ConvUnit(nn.Module):
  """Convolution, batch norm of stored statistics, ReLU."""

  features: int
  kernel: tuple[int, int]
  stride: int = 1
  padding: tuple[int, int] = (0, 0)

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, H', W', features]`."""
    shape = (*self.kernel, x.shape[-1], self.features)
    kernel = self.param('kernel', nn.initializers.he_normal(), shape)
    ones, zeros = nn.initializers.ones, nn.initializers.zeros
    scale = self.param('scale', ones, (self.features,))
    bias = self.param('bias', zeros, (self.features,))
    mean = self.param('mean', zeros, (self.features,))
    var = self.param('var', ones, (self.features,))
    x = lax.conv_general_dilated(
      x,
      kernel,
      (self.stride, self.stride),
      [(p, p) for p in self.padding],
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
      # Three-pass or full float32: TF32 moves the features by a per mille.
      precision=lax.Precision.HIGHEST,
    )
    slope = scale / jnp.sqrt(var + _EPSILON)
    return nn.relu(x * slope + (bias - mean * slope))


def _branch(
  x: jax.Array,
  name: str,
  *units: tuple[int, int | tuple[int, int]],
  stride: int = 1,
  pad: bool = True,
) -> jax.Array:
  """Applies convolutions in turn.

  Args:
    x: `[B, H, W, C]`.
    name: of a single unit; several are `name_1`, `name_2`, ...
    *units: the features and the kernel of each; they keep the size of the map,
      except for the last with a stride or without padding.
    stride: of the last; with one there is no padding.
    pad: whether the last keeps the size.
  """
  for i, (features, size) in enumerate(units, 1):
    kernel = size if isinstance(size, tuple) else (size, size)
    own = stride if i == len(units) else 1
    keeps = own == 1 and (pad or i < len(units))
    padding = (kernel[0] // 2, kernel[1] // 2) if keeps else (0, 0)
    unit = name if len(units) == 1 else f'{name}_{i}'
    x = ConvUnit(features, kernel, own, padding, name=unit)(x)
  return x


class BlockA(nn.Module):
  """35x35: 1x1, 5x5, two 3x3, average pool."""

  pool_features: int

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, H, W, 224 + pool_features]`."""
    branches = [
      _branch(x, 'branch1x1', (64, 1)),
      _branch(x, 'branch5x5', (48, 1), (64, 5)),
      _branch(x, 'branch3x3dbl', (64, 1), (96, 3), (96, 3)),
      _branch(average_pool(x), 'branch_pool', (self.pool_features, 1)),
    ]
    return jnp.concatenate(branches, -1)


class BlockB(nn.Module):
  """35x35 to 17x17."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, (H-1)//2, (W-1)//2, 480 + C]`."""
    three = _branch(x, 'branch3x3', (384, 3), stride=2)
    double = _branch(x, 'branch3x3dbl', (64, 1), (96, 3), (96, 3), stride=2)
    return jnp.concatenate([three, double, max_pool(x, 2)], -1)


class BlockC(nn.Module):
  """17x17: 7x7 convolutions as 1x7 and 7x1."""

  channels: int

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, H, W, 768]`."""
    first, row, column = (
      (self.channels, kernel) for kernel in (1, (1, 7), (7, 1))
    )
    double = (first, column, row, column, (192, (1, 7)))
    branches = [
      _branch(x, 'branch1x1', (192, 1)),
      _branch(x, 'branch7x7', first, row, (192, (7, 1))),
      _branch(x, 'branch7x7dbl', *double),
      _branch(average_pool(x), 'branch_pool', (192, 1)),
    ]
    return jnp.concatenate(branches, -1)


class BlockD(nn.Module):
  """17x17 to 8x8."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, (H-1)//2, (W-1)//2, 512 + C]`."""
    units = ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3))
    three = _branch(x, 'branch3x3', (192, 1), (320, 3), stride=2)
    seven = _branch(x, 'branch7x7x3', *units, stride=2)
    return jnp.concatenate([three, seven, max_pool(x, 2)], -1)


class BlockE(nn.Module):
  """8x8: expanded 3x3 convolutions; the two blocks differ in their pool."""

  pool_by_maximum: bool = False

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps `[B, H, W, C]` to `[B, H, W, 2048]`."""
    one = _branch(x, 'branch1x1', (320, 1))
    three = _branch(x, 'branch3x3_1', (384, 1))
    double = _branch(x, 'branch3x3dbl', (448, 1), (384, 3))
    pool = max_pool(x, 1, 1) if self.pool_by_maximum else average_pool(x)
    branches = [
      one,
      _branch(three, 'branch3x3_2a', (384, (1, 3))),
      _branch(three, 'branch3x3_2b', (384, (3, 1))),
      _branch(double, 'branch3x3dbl_3a', (384, (1, 3))),
      _branch(double, 'branch3x3dbl_3b', (384, (3, 1))),
      _branch(pool, 'branch_pool', (192, 1)),
    ]
    return jnp.concatenate(branches, -1)


class InceptionV3(nn.Module):
  """Images to features, by `init` and `apply` alone; nothing is trained."""

  @nn.compact
  def __call__(self, x: jax.Array) -> dict[int, jax.Array]:
    """Maps preprocessed images to features.

    Args:
      x: `[B, 299, 299, 3]` in [-1, 1], see `preprocess`; smaller images, of 75
        pixels at least, pass as well.

    Returns:
      A dict: `d` to `[B, d]`, the spatial means at the four depths
      `FEATURE_DIMS`, and 1008 to the classifier's `[B, 1008]` logits. Under
      `jax.jit` what is not used costs nothing.
    """
    features = {}
    x = _branch(x, 'Conv2d_1a_3x3', (32, 3), stride=2)
    x = _branch(x, 'Conv2d_2a_3x3', (32, 3), pad=False)
    x = _branch(x, 'Conv2d_2b_3x3', (64, 3))
    features[64] = x = max_pool(x, 2)
    x = _branch(x, 'Conv2d_3b_1x1', (80, 1))
    x = _branch(x, 'Conv2d_4a_3x3', (192, 3), pad=False)
    features[192] = x = max_pool(x, 2)
    x = BlockA(32, name='Mixed_5b')(x)
    x = BlockA(64, name='Mixed_5c')(x)
    x = BlockA(64, name='Mixed_5d')(x)
    x = BlockB(name='Mixed_6a')(x)
    for letter, channels in zip('bcde', (128, 160, 160, 192)):
      x = BlockC(channels, name=f'Mixed_6{letter}')(x)
    features[768] = x
    x = BlockD(name='Mixed_7a')(x)
    x = BlockE(name='Mixed_7b')(x)
    x = BlockE(pool_by_maximum=True, name='Mixed_7c')(x)
    features[2048] = x
    features = {d: jnp.mean(f, (1, 2)) for d, f in features.items()}
    logits = nn.Dense(NUM_CLASSES, name='fc')(features[2048])
    return {**features, NUM_CLASSES: logits}


def parameter_shapes() -> dict[str, tuple[int, ...]]:
  """The shape of every parameter by its dotted name."""
  image = jax.ShapeDtypeStruct((1, IMAGE_SIZE, IMAGE_SIZE, 3), jnp.float32)
  tree = jax.eval_shape(InceptionV3().init, jax.random.key(0), image)
  leaves = jax.tree_util.tree_leaves_with_path(tree['params'])
  return {
    '.'.join(str(entry.key) for entry in path): leaf.shape
    for path, leaf in leaves
  }

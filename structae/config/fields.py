"""What can be configured: every field, its default, what it takes.

Imports no jax, so that a mistake is answered at once.
"""

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

from structae.data import catalog, splits
from structae.evaluation import registry as metrics


@dataclasses.dataclass(frozen=True)
class Field:
  """One setting.

  Attributes:
    default: its value where nothing else is said.
    meaning: what it does, in a few words.
    expected: what values it takes, in words.
    valid: whether a value is one of them.
  """

  default: Any
  meaning: str
  expected: str
  valid: Callable[[Any], bool]


def _whole(low: int, high: int = 2**31 - 1) -> tuple[str, Callable]:
  text = f'a whole number from {low}'
  text += f' to {high}' if high < 2**31 - 1 else ''
  return text, lambda v: _is_int(v) and low <= v <= high


def _is_int(value: Any) -> bool:
  return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
  number = isinstance(value, int | float) and not isinstance(value, bool)
  return number and math.isfinite(value)


def _one_of(*values: str) -> tuple[str, Callable]:
  return 'one of ' + ', '.join(values), lambda v: v in values


_POSITIVE = ('a number above 0', lambda v: _is_number(v) and v > 0)
_NOT_NEGATIVE = ('a number from 0', lambda v: _is_number(v) and v >= 0)
_SEEDS = (
  'a tuple of different whole numbers from 0',
  lambda v: (
    isinstance(v, tuple | list)
    and all(_whole(0)[1](seed) for seed in v)
    and len({*v}) == len(v)
  ),
)
_BOOL = ('True or False', lambda v: isinstance(v, bool))
_TEXT = ('text', lambda v: isinstance(v, str))
_FUNCTION = (
  'module:function, or nothing',
  lambda v: (
    isinstance(v, str) and re.fullmatch(r'([\w.]+:[\w.]+)?', v) is not None
  ),
)
_METRICS = (
  f'a tuple of names out of {", ".join(metrics.NAMES)}',
  lambda v: (
    isinstance(v, tuple | list) and all(name in metrics.NAMES for name in v)
  ),
)
_WIDTHS = (
  'a tuple of whole numbers above 0',
  lambda v: (
    isinstance(v, tuple | list) and all(_is_int(w) and w > 0 for w in v)
  ),
)

# fmt: off
FIELDS = {
  'scale': Field('paper', 'the scale the settings were chosen for', *_TEXT),
  'seed': Field(0, 'seed of parameters, batches and samples', *_whole(0)),
  'model.preset': Field(
      'paper', 'whose widths of dense layers, and whose ladder',
      *_one_of('paper', 'released')),
  'model.encoder': Field('convolutional', 'kind of encoder',
                         *_one_of('convolutional', 'mlp', 'ladder')),
  'model.decoder': Field(
      'structural', 'kind of decoder',
      *_one_of('structural', 'adaptive', 'ladder', 'hourglass', 'graph')),
  'model.graph': Field(
      '', "of a graph decoder: each variable with its parents, 'room; object: "
      "room; colours: room, object', or a .json", *_TEXT),
  'model.num_variables': Field(12, 'variables K of a code', *_whole(1)),
  'model.num_latents': Field(12, 'numbers L of a code', *_whole(1)),
  'model.num_stages': Field(
      0, 'Str-Tfm layers or rungs; 0: one per variable', *_whole(0)),
  'model.stage_blocks': Field(
      (), 'blocks of each stage (of a graph: of each level); (): as even as '
      'can be', *_WIDTHS),
  'model.num_blocks': Field(12, 'convolution blocks of each half', *_whole(2)),
  'model.width': Field(64, 'channels of every block', *_whole(1)),
  'model.num_groups': Field(8, 'groups of the group norm', *_whole(1)),
  'model.initializer': Field(
    'uniform',
    'how convolutions and head start; uniform is the paper\'s',
    *_one_of('uniform', 'lecun'),
  ),
  'model.activation': Field('mish', 'activation of every block and layer',
                            *_one_of('mish', 'elu')),
  'model.resampling': Field(
      'pooled', 'maps change size by pooling and bilinearly, or by strides',
      *_one_of('pooled', 'strided')),
  'model.head': Field((), "hidden widths of the encoder's head; (): preset's",
                      *_WIDTHS),
  'model.start': Field((), "hidden widths of an hourglass decoder's start",
                       *_WIDTHS),
  'model.str_tfm': Field((), 'hidden widths of a Str-Tfm network', *_WIDTHS),
  'model.inference_rung': Field((), 'hidden widths of a rung of the encoder',
                                *_WIDTHS),
  'model.generative_rung': Field((), 'hidden widths of a rung of the decoder',
                                 *_WIDTHS),
  'model.unroll': Field(True, 'list the stages instead of looping over them',
                        *_BOOL),
  'model.dtype': Field('float32', 'type of the computation, not of parameters',
                       *_one_of('float32', 'bfloat16')),
  'model.precision': Field(
      'float32', 'of products of float32 numbers; tf32 is faster on GPUs',
      *_one_of('float32', 'tf32')),
  'objective.name': Field(
      'autoencoding', 'the training loss',
      *_one_of('autoencoding', 'beta_vae', 'wae', 'beta_tcvae', 'factor_vae',
               'dip_vae_i', 'dip_vae_ii', 'annealed_vae')),
  'objective.likelihood': Field(
      'bernoulli', 'of pixels, or of the numbers of a feature vector',
      *_one_of('bernoulli', 'gaussian')),
  'objective.noise': Field(
      0.1, 'standard deviation of a Gaussian likelihood', *_POSITIVE),
  'objective.beta': Field(2.0, 'weight of the KL divergence of beta_vae',
                          *_NOT_NEGATIVE),
  'objective.beta_tc': Field(
      4.0, 'weight of the total correlation of beta_tcvae', *_NOT_NEGATIVE),
  'objective.tc_estimator': Field(
      'stratified', "beta_tcvae's estimate of the codes' density",
      *_one_of('stratified', 'weighted')),
  'objective.gamma': Field(
      40.0, 'weight of the total correlation of factor_vae', *_NOT_NEGATIVE),
  'objective.critic': Field((1000,) * 6, "hidden widths of factor_vae's critic",
                            *_WIDTHS),
  'objective.critic_learning_rate': Field(1e-4, "the critic's step size",
                                          *_POSITIVE),
  'objective.mmd_weight': Field(10.0, 'weight of the MMD of wae',
                                *_NOT_NEGATIVE),
  'objective.dip_covariance': Field(
      10.0, 'weight of covariances of dip_vae_i and dip_vae_ii',
      *_NOT_NEGATIVE),
  'objective.dip_variance': Field(
      10.0, 'weight of variances less 1 of dip_vae_i and dip_vae_ii',
      *_NOT_NEGATIVE),
  'objective.annealed_weight': Field(
      1000.0, 'weight of the distance of the KL from its capacity in '
      'annealed_vae', *_NOT_NEGATIVE),
  'objective.capacity': Field(
      25.0, 'nats that the KL of annealed_vae goes to', *_NOT_NEGATIVE),
  'objective.capacity_steps': Field(
      100_000, "updates by which annealed_vae's capacity has grown",
      *_whole(1)),
  'objective.consistency': Field(
      0.0, 'weight of the distance of hybrids from the codes of their images',
      *_NOT_NEGATIVE),
  'objective.released': Field(
      False, "the KL or MMD of the authors' code in place of the correct one",
      *_BOOL),
  'labels.weight': Field(
      0.0, 'weight of the cross entropy of variables to factors',
      *_NOT_NEGATIVE),
  'labels.fraction': Field(
      1.0, 'of the training examples, those whose factors are known',
      'a number from 0 to 1', lambda v: _is_number(v) and 0 <= v <= 1),
  'labels.factors': Field(
      (), 'names of the factors; (): all that vary', 'a tuple of names',
      lambda v: (isinstance(v, tuple | list)
                 and all(isinstance(x, str) for x in v))),
  'labels.variables': Field(
      (), 'variables from 1 that are to show them, in order; (): the first',
      *_WIDTHS),
  'labels.pairs': Field(
      0, 'factors that differ within the pairs of a batch; 0: no pairs',
      *_whole(0)),
  'train.num_steps': Field(100_000, 'updates', *_whole(1)),
  'train.batch_size': Field(128, 'images per update', *_whole(1)),
  'train.order': Field(
      'replacement', 'images are drawn with replacement, or each once an epoch',
      *_one_of('replacement', 'epochs')),
  'train.num_runs': Field(
      1, 'seeds from `seed` on that are trained at once, each on its own part '
      'of the devices and in its own folder', *_whole(1)),
  'train.seeds': Field(
    (), 'the seeds of `train.num_runs` by name; (): `seed` and those after it',
    *_SEEDS),
  'train.learning_rate': Field(5e-4, "Adam's step size, its peak if scheduled",
                               *_POSITIVE),
  'train.schedule': Field('constant', 'how the learning rate goes on',
                          *_one_of('constant', 'cosine')),
  'train.warmup_steps': Field(0, 'updates of linear rise at the start',
                              *_whole(0)),
  'train.init_from': Field(
      '', 'folder of a finished run whose parameters this one starts from',
      *_TEXT),
  'train.trainable': Field(
      'all', 'the half that is trained; the other stays as it is',
      *_one_of('all', 'encoder', 'decoder')),
  'train.steps_per_dispatch': Field(
      0, 'updates per call of the device; 0 chooses by device', *_whole(0)),
  'train.log_every': Field(100, 'updates per row of metrics.jsonl', *_whole(1)),
  'train.validate_every': Field(
      1000, 'updates between validation losses, a multiple of log_every',
      *_whole(1)),
  'train.num_validation': Field(1024, 'images of the validation loss',
                                *_whole(1)),
  'train.save_minutes': Field(
      10.0, 'minutes between checkpoints; 0 saves at every row',
      *_NOT_NEGATIVE),
  'train.keep_checkpoints': Field(
      2, 'the newest checkpoints that stay; 0 keeps all', *_whole(0)),
  'train.hook': Field(
      '', 'a function of yours that is called with every row of metrics',
      *_FUNCTION),
  'data.name': Field(catalog.DEFAULT, 'the data set',
                     *_one_of(*catalog.CATALOG)),
  'data.path': Field(
      '', 'the original files or a prepared folder; empty: where they belong',
      *_TEXT),
  'data.size': Field(64, 'width of the images in pixels; 1 for feature vectors',
                     *_whole(1)),
  'data.storage': Field(
      'auto', 'where images stay: on each device, cut among them, or mapped',
      *_one_of('auto', 'resident', 'sharded', 'memmap')),
  'data.crop': Field(
      '', 'celeba: pixels of the square that is kept; folder: centre or squash',
      *_TEXT),
  'data.verify': Field(True, 'hold files against their published checksums',
                       *_BOOL),
  'data.skip_corrupt': Field(False, 'leave unreadable pictures out', *_BOOL),
  'data.split': Field('random', 'which images train, validate and test',
                      *_one_of(*splits.KINDS)),
  'data.hold_out': Field(
      'none', 'factor values that no image of any part shows: shape=ball, or '
      "together: 'floor_hue=0,1;shape=cube' (, is or, ; is and); the paper's: "
      'shape, camera', *_TEXT),
  'data.split_seed': Field(0, 'seed of the split', *_whole(0)),
  'evaluation.num_train': Field(0, 'training codes to save; 0 saves all',
                                *_whole(0)),
  'evaluation.num_validation': Field(
      0, 'validation codes to save; 0 saves all', *_whole(0)),
  'evaluation.num_test': Field(0, 'test codes to save; 0 saves all',
                               *_whole(0)),
  'evaluation.batch_size': Field(128, 'images encoded at a time', *_whole(1)),
  'evaluation.num_samples': Field(256, 'hybrid samples that are scored',
                                  *_whole(1)),
  'evaluation.num_prior_samples': Field(
      -1, 'prior samples that are scored; -1: as many, where there is a prior',
      *_whole(-1)),
  'evaluation.metrics': Field(
      ('all',), 'metrics of codes and images, by name', *_METRICS),
  'evaluation.points': Field(
      'split', 'codes that are scored: the training and the test codes, or the '
      "paper's 10,000 + 5,000 drawn from all that are saved",
      *_one_of('split', 'full')),
  'evaluation.num_fid_images': Field(
      50_000, 'images of each set that the FID compares', *_whole(2)),
  'evaluation.pool_size': Field(128, 'stored codes that samples recombine',
                                *_whole(1)),
}
# fmt: on

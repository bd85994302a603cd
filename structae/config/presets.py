"""Settings by family of data sets, and widths of dense layers by preset."""

from typing import Any

# What is trained on what, and how, by family of data sets.
_AT_128 = {
  'data.size': 128,
  'model.num_blocks': 16,
  'model.width': 128,
  'model.num_latents': 32,
  'train.batch_size': 32,
  'train.num_steps': 200_000,
}
_RFD = _AT_128 | {'model.width': 256, 'train.learning_rate': 5e-5}
PRESETS: dict[str, dict[str, Any]] = {
  '64px': {'data.size': 64},
  '128px': _AT_128,
  'rfd': _RFD,
  # A guess: the kernels of its strided convolutions were not recorded.
  'rfd_released': _RFD
  | {
    'model.num_latents': 16,
    'model.activation': 'elu',
    'model.resampling': 'strided',
    'train.batch_size': 64,
  },
  'vectors': {
    'data.size': 1,
    'model.encoder': 'mlp',
    'objective.likelihood': 'gaussian',
  },
}

# Hidden widths of dense layers, below 128 pixels and from there on.
_SMALL: dict[str, tuple[int, ...]] = {'head': (256, 128), 'start': (128, 256)}
_LARGE: dict[str, tuple[int, ...]] = {
  'head': (512, 256, 128),
  'start': (128, 256, 512),
  'str_tfm': (64, 128, 256),
  'inference_rung': (256, 128, 64),
  'generative_rung': (64, 128, 256),
}
_WIDTHS: dict[tuple[str, bool], dict[str, tuple[int, ...]]] = {
  ('paper', False): _SMALL
  | {
    'str_tfm': (64, 64, 64),
    'inference_rung': (64, 64, 64),
    'generative_rung': (64, 64, 64),
  },
  ('released', False): _SMALL
  | {
    'str_tfm': (64, 128),
    'inference_rung': (128, 64),
    'generative_rung': (64, 128),
  },
  ('paper', True): _LARGE,
  ('released', True): _LARGE,
}

# Objectives with a Gaussian posterior, and those that give codes a prior.
VARIATIONAL = frozenset(
  ['beta_vae', 'beta_tcvae', 'factor_vae', 'dip_vae_i', 'dip_vae_ii',
   'annealed_vae']
)  # fmt: skip
WITH_PRIOR = VARIATIONAL | {'wae'}
# Objectives whose KL divergence or MMD the authors' code takes otherwise.
WITH_RELEASED_FORM = frozenset(['beta_vae', 'wae', 'factor_vae'])


def widths(config: Any) -> dict[str, tuple[int, ...]]:
  """Hidden widths of the model's dense layers: as set, or the preset's.

  Args:
    config: a configuration.

  Returns:
    Widths by their dotted names.

  Source: Leeb et al., https://arxiv.org/abs/2006.07796, appendix A.2.
  """
  model = config.model
  preset = _WIDTHS[model.preset, config.data.size >= 128]
  return {
    f'model.{name}': tuple(model[name] or usual)
    for name, usual in preset.items()
  }

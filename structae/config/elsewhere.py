"""What other programs call the fields, and what they have that is no field.

Whoever comes from elsewhere is led to the field by the first message.
"""

import difflib

from structae.config.fields import FIELDS

# `num_`, `n_`, `max_` and `total_` before a name change nothing.
_NAMES = {
  'train.learning_rate': 'lr l_rate base_lr init_lr step_size',
  'train.num_steps': 'steps iterations iters iter updates train_steps '
  'training_steps num_updates',
  'train.batch_size': 'batch bs batchsize minibatch mini_batch '
  'train_batch_size per_device_batch_size',
  'train.schedule': 'scheduler lr_schedule lr_scheduler decay',
  'train.warmup_steps': 'warmup warm_up lr_warmup',
  'train.log_every': 'log_interval log_freq log_steps log_every_n_steps',
  'train.validate_every': 'eval_every eval_interval val_every val_interval '
  'val_check_interval',
  'train.save_minutes': 'save_every save_interval save_freq save_steps '
  'checkpoint_every',
  'train.init_from': 'pretrained weights ckpt ckpt_path checkpoint_path '
  'load_from finetune',
  'train.hook': 'callback callbacks logger wandb mlflow',
  'model.num_latents': 'latents latent latent_dim latent_dims latent_size '
  'nlatents z_dim z_size zdim code_size code_dim embedding_dim bottleneck',
  'model.num_variables': 'vars slots k',
  'model.width': 'channels filters hidden hidden_dim hidden_size features '
  'base_channels nf ngf',
  'model.num_blocks': 'layers depth blocks convs',
  'model.num_groups': 'norm group_norm groups',
  'model.dtype': 'fp16 bf16 half amp mixed_precision',
  'model.activation': 'act nonlinearity',
  'objective.name': 'loss criterion loss_fn objective',
  'objective.beta': 'kl_weight kld_weight kl_coef',
  'data.name': 'dataset data',
  'data.path': 'data_dir datadir data_root dataroot root image_dir '
  'image_folder',
  'data.size': 'image_size img_size resolution imsize',
  'data.split': 'splits val_split test_split',
  'seed': 'random_seed manual_seed rng rng_seed',
  'evaluation.num_samples': 'samples',
}
# What there is no field for: where it is, or that it is not.
_ADVICE = {
  'epochs epoch train_epochs': 'training is counted in updates: {0}'
  'train.num_steps is examples x epochs / {0}train.batch_size',
  'optimizer optim solver adam betas beta1 beta2': 'the optimizer is Adam; its '
  'step size is {0}train.learning_rate',
  'weight_decay wd l2 dropout momentum grad_clip clip clip_grad_norm '
  'grad_norm max_grad_norm label_smoothing ema': 'training has no weight '
  'decay, dropout, momentum, clipping or averages',
  'device devices gpu gpus cuda cpu tpu accelerator accelerators': 'all '
  'devices that jax finds are used: JAX_PLATFORMS=cpu or '
  'CUDA_VISIBLE_DEVICES=0 in the environment chooses',
  'workers num_workers threads': 'images are made and gathered without workers',
  'output out output_dir out_dir logdir log_dir save_dir work_dir run_dir '
  'exp_dir folder '
  'name run_name exp_name experiment': 'the folder of a run is workdir',
  'resume auto_resume': 'the same command goes on from the last checkpoint',
  'n_seeds': 'several seeds: structae sweep CONFIG --config.seed=0,1,2',
  'arch architecture model net network': 'the model is named first: sae12, '
  'vae, ... (structae train --help lists them)',
}
_LIKE = 0.7  # of 1, from which a name is taken for a mistyped one
_PREFIXES = ('num_', 'n_', 'max_', 'total_')


_FIELD_OF = {name: x for x, names in _NAMES.items() for name in names.split()}
_ADVICE_ON = {name: x for names, x in _ADVICE.items() for name in names.split()}


def hint(name: str, prefix: str = '') -> str:
  """What a name that is no field may mean, as the end of a message.

  Args:
    name: dotted or not, of any case, with hyphens or underscores.
    prefix: of fields where the message is read, such as `--config.`.

  Returns:
    `; did you mean FIELD?`, or `; ` and what to do; empty if nothing is near.
  """
  if advice := _look_up(_leaf(name), _ADVICE_ON):
    return f'; {advice.format(prefix)}'
  found = _close(name)
  return f'; did you mean {prefix}{found}?' if found else ''


def _close(name: str) -> str:
  """The field that a name most likely stands for; empty if none is near."""
  leaf = _leaf(name)
  leaves = {field.rpartition('.')[2]: field for field in reversed(FIELDS)}
  if _look_up(leaf, _ADVICE_ON):
    return ''
  if found := leaves.get(leaf) or _look_up(leaf, _FIELD_OF):
    return found
  near = difflib.get_close_matches(name, FIELDS, 1, _LIKE)
  near = near or difflib.get_close_matches(leaf, leaves, 1, _LIKE)
  return leaves.get(near[0], near[0]) if near else ''


def _leaf(name: str) -> str:
  return name.rpartition('.')[2].lower().replace('-', '_')


def _look_up(leaf: str, table: dict[str, str]) -> str:
  """What stands at `num_epochs` or else at `epochs`; '' if nothing does."""
  bare = leaf
  for prefix in _PREFIXES:
    bare = bare.removeprefix(prefix)
  return table.get(leaf) or table.get(bare) or ''

"""WAE-MMD. python -m experiments.main --config=experiments/wae.py[:quick]"""

from structae import config

get_config = config.variant('wae')

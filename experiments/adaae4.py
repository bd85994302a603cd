"""AdaAE-4. python -m experiments.main --config=experiments/adaae4.py[:quick]"""

from structae import config

get_config = config.variant('adaae4')

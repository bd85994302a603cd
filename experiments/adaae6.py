"""AdaAE-6. python -m experiments.main --config=experiments/adaae6.py[:quick]"""

from structae import config

get_config = config.variant('adaae6')

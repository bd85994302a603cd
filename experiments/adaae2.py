"""AdaAE-2. python -m experiments.main --config=experiments/adaae2.py[:quick]"""

from structae import config

get_config = config.variant('adaae2')

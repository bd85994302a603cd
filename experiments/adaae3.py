"""AdaAE-3. python -m experiments.main --config=experiments/adaae3.py[:quick]"""

from structae import config

get_config = config.variant('adaae3')

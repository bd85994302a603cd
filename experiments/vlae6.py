"""VLAE-6. python -m experiments.main --config=experiments/vlae6.py[:quick]"""

from structae import config

get_config = config.variant('vlae6')

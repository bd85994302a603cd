"""VLAE-16. python -m experiments.main --config=experiments/vlae16.py[:quick]"""

from structae import config

get_config = config.variant('vlae16')

"""VLAE-12. python -m experiments.main --config=experiments/vlae12.py[:quick]"""

from structae import config

get_config = config.variant('vlae12')

"""A scene. python -m experiments.main --config=experiments/graph4.py[:quick]"""

from structae import config

get_config = config.variant('graph4')

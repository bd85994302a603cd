"""Input at random: none of it may end in a traceback, a hang or a wrong value.

`python -m experiments.fuzz commands|flips|arrays --num=5000 --seed=S` tries
many cases, prints what became of them and every fault, and exits with 1 if
there is one. The tests try few, of fixed seeds.
"""

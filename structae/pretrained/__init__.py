"""Trained models by themselves: saved, loaded, used without their data."""

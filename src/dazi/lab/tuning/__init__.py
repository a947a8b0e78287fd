"""Tuning a model on a company's own samples: recipe, rendering, the trainer's process, adapters."""

"""The trainer's process: torch, transformers and PEFT, in an environment of its own.

Nothing here may import what the product depends on: only this package, the standard library and the
packages of the ``tune`` extra are sure to be there.
"""

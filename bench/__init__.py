"""Benchmarks: ``make bench``. Ratios between sides measured in the same run."""

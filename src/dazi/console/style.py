"""Style sheets that several pages share."""

from __future__ import annotations

from pathlib import Path

EXPERIMENTS_STYLE = Path(__file__).with_name("experiments.css")
"""Of the pages of prompts and of experiments."""

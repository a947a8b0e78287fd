"""What tuning is worth, measured: a new tool for the demo company, and few-shot methods on fraud texts."""

"""How well and how fast datasets are made: planted faults found, look-alikes left alone, a million samples."""

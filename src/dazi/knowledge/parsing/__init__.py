"""Files into blocks, in a process that is killed at its limits. ``process.parse`` is the way in;
nothing else here runs in the process that serves."""

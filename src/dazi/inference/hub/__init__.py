"""Models from a model hub: listed, downloaded so that it can go on where it stopped, and checked."""

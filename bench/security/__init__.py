"""Harnesses that try to make the router do what it must not; each counts and names violations."""

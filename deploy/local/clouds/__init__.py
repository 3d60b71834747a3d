"""Where are the simulated clouds of the embedded stack?

One package per cloud. AWS is a process of its own; the others share one, and what they have in common is in `world`.
"""

"""The embedded deployment: everything that Canopy needs on one machine, in one command, without any account.

`up.py` is `make up`; `stack.py` says what runs and in which order; `supervisor.py` keeps children; `processes.py` is
one child; `postgres.py` and `nats.py` are the real servers; `clouds/`, `sinks/` and `load/` stand in for the outside.
"""

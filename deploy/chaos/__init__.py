"""Does long work survive `kill -9` at every boundary of its journal? Seeded campaigns against an embedded deployment.

`make chaos` (`python -m deploy.chaos`) runs the real services; only the saga of the replicas under fire is one that
ends its own process at the boundary it was told. Nothing in `services/` or `shared/` knows of it.
"""

"""The `canopy` command: operates a deployment (up, status, dead, migrate, topology, …) and speaks REST for people."""

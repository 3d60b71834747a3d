"""Where are the simulated clouds of the embedded stack? One package per cloud, each a process of its own."""

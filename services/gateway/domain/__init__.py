"""Decisions of the gateway: who comes in, what they may see, and what can be proven afterwards. Pure."""

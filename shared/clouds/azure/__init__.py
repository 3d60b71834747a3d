"""Microsoft Azure, by its management SDKs (aio)."""

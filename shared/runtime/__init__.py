"""The life of a process: start, signals, drain, health, telemetry, logging, settings."""

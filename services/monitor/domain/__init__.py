"""Decisions about metrics, health, alerts and deliveries: pure, time is an argument."""

"""The gateway, the one public door: authenticates, authorises, asks the owner of a noun, answers.

Purpose   REST and live stream of all services; tenancy; audit log; the state of long work.
Owns      organizations, users, API keys, tokens and tickets, operations (as a view of all owners), the audit chain.
Asks      every service, for what its routes show (api/<noun>.py); itself for its own nouns (handlers/<noun>.py).
Consumes  audit.recorded, operation.* of all services; every event and metric batch for the live sockets (core NATS).
Emits     organization.created, user.*, api_key.*, audit.recorded.
"""

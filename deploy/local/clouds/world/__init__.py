"""What is common to the simulated clouds that are our own (all but AWS)?

Purpose   one process with a port per provider, on which the unmodified SDKs find the provider's wire protocol. A
          provider's package says what is served (`Provider`, `Action`); here is what every simulated cloud needs:
          accounts, faults, time, a ledger of every accepted mutation, counted calls, and state that survives `kill -9`.
Owns      one SQLite file and `accounts.json` in its data folder.
Serves    each provider's API on a port of its own, and on each of these ports the controls `/_sim/*` and `/healthz`.
Start     `python -m deploy.local.clouds.world --data-dir DIR [--ports azure=N,gcp=N] [--port-file FILE]`.

Everything runs in one event loop and every handler is synchronous: what a handler does is atomic, without a lock.
"""

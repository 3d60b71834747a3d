"""What is the simulated AWS?

Purpose   moto, spoken to by the real boto3, behind our own WSGI pipeline that adds what moto leaves out: real
          signatures of several accounts, client tokens, states that take time, throttling and faults on demand,
          a ledger, a fast CloudWatch, and state that survives `kill -9`.
Owns      one SQLite file and `accounts.json` in its data folder.
Serves    the AWS wire protocols on `/` and its controls on `/_sim/*` and `/healthz`, on loopback only.
Start     `python -m deploy.local.clouds.aws --port N --data-dir DIR [--port-file FILE] [--state-seconds S]`.
"""

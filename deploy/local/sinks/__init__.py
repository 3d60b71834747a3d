"""Where do messages end up that the embedded stack sends to the outside?

Purpose   a Slack incoming webhook, any other webhook and a mail server, all local, that keep what they are sent.
Owns      `messages.jsonl` in its data folder, only ever appended to.
Serves    POST /slack/…, POST /webhook/…, SMTP; GET and DELETE /messages, POST /_sink/fault, GET / for people;
          on loopback only.
Start     `python -m deploy.local.sinks --port N --smtp-port M --data-dir DIR`.
"""

"""What load do the machines of the simulated AWS have?

Purpose   what the agents inside real machines and the hypervisors below them do: measure, and put it into CloudWatch.
          One point each 5 s for every running machine of every account and region, seeded and seasonal; a control
          pushes a chosen machine to a chosen load.
Owns      `pushes.json` in its data folder.
Serves    GET and POST /load, DELETE /load/{instance id}, /healthz; on loopback only.
Start     `python -m deploy.local.load --simulator URL --accounts FILE --port N --data-dir DIR`;
          `python -m deploy.local.load push --resource ID --cpu 97` is the control on the command line.
"""

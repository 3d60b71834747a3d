"""What does the simulated Google Cloud serve?

The token endpoint of service accounts (`/token`: the RS256 assertion is verified against the account's public key),
Compute Engine v1 (`/compute/v1/projects/…`) and Cloud Monitoring v3 (`/v3/projects/…/timeSeries`), each as the client
libraries speak to them. Two projects, `test-project` and `second-project`, with service accounts whose keys are
generated at the first start and stand in `accounts.json`.
"""

"""How does Azure answer? Entra's token endpoint and Azure Resource Manager, as the SDKs speak to them.

Purpose   Microsoft.Compute, .Network (with DNS), .Storage, .Sql, resource groups, tags, subscriptions, batched
          metrics: for the life of a machine, of what stands beside it, and a recovery drill. Paths, fields, states and
          error bodies are those of the public REST reference (learn.microsoft.com/rest/api).
Serves    everything at one address: `/{tenant}/oauth2/v2.0/token`, `/subscriptions/…`, and `metrics:getBatch`.
"""

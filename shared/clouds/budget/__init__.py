"""How often may we call a provider's API? One budget for each account, region and API of a provider."""

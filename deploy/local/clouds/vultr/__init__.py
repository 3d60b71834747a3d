"""The simulated Vultr: API v2 of instances, plans, operating systems, regions, account and bandwidth."""

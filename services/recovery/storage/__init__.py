"""What recovery stores: plans, backups and drills, and its copy of resources and providers."""
